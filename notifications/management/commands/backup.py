"""``manage.py backup``: copy the SQLite database while it is in use."""

import argparse
import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management.base import FAILED, refusal
from notifications.system.backup import (
    CannotBackUp,
    CopyIsBroken,
    back_up,
    database_file,
)


class Command(BaseCommand):
    help = (
        "Copy the SQLite database while the pages and the workers use it, check the copy, "
        "and write its SHA-256 to a file next to it, for sha256sum -c. Exit code 0: the "
        "copy is intact; 1: it was corrupt and was removed; 2: no copy was made. For "
        "PostgreSQL, use pg_dump."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="DIR",
            help="an existing folder, preferably on another disk",
        )
        parser.add_argument(
            "--keep",
            type=_count,
            default=0,
            metavar="N",
            help="after the copy, delete all copies in DIR except the newest N; without "
            "this option, delete none",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = back_up(database_file(), options["to"], keep=options["keep"])
        except CopyIsBroken as error:
            raise CommandError(str(error), returncode=FAILED) from None
        except (CannotBackUp, OSError, sqlite3.Error) as error:
            raise refusal(error) from None
        self.stdout.write(f"{backup.path} bytes={backup.size} sha256={backup.digest}")
        self.stdout.write(f"head: {backup.head or 'none'}")
        for path in backup.removed:
            self.stdout.write(f"removed {path}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"“{text}” is not a positive number.")
    return int(text)
