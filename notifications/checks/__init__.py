"""What ``manage.py check`` says about the settings and, when asked, the database."""

from . import access, im, record, web

__all__ = ["access", "im", "record", "web"]
