"""The lists and forms of the console; importing it registers them."""

from . import groups, history, people

__all__ = ["groups", "history", "people"]
