#!/usr/bin/env python
"""The console's commands; ``manage.py help`` lists them."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import DatabaseError, connection

from notifications import __version__
from notifier_site.variables import FATAL

if __name__ == "__main__":
    # Django would print its own version.
    if sys.argv[1:] == ["version"] or "--version" in sys.argv[1:]:
        sys.stdout.write(f"{__version__}\n")
        sys.exit()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifier_site.settings")
    problems = [p for p in settings.SETTINGS_PROBLEMS if p.id in FATAL]
    if problems and sys.argv[1:2] != ["check"]:
        sys.exit("\n".join(f"{p.sentence} {p.hint}" for p in problems))
    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        if connection.connection is not None:
            raise
        # The text has the address of the database, but no password.
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"The database cannot be opened: {reason}. Check DATABASE_URL.")
