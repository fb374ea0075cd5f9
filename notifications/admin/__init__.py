"""The lists and forms of the console; apps.py imports them once the site is there."""
