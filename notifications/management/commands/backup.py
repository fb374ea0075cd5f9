"""``manage.py backup``: a copy of the SQLite database while everything runs."""

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
        "and put its SHA-256 beside it (sha256sum -c). Exit code 0: the copy is whole; "
        "1: it was broken and was removed; 2: no copy was made. PostgreSQL: pg_dump."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="DIR",
            help="an existing folder, best on another disk",
        )
        parser.add_argument(
            "--keep",
            type=_count,
            default=0,
            metavar="N",
            help="then remove all copies there but the newest N; without it, none",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = back_up(database_file(), options["to"], keep=options["keep"])
        except CopyIsBroken as error:
            raise CommandError(str(error), returncode=FAILED) from None
        except (CannotBackUp, OSError, sqlite3.Error) as error:
            raise refusal(error) from None
        self.stdout.write(f"{made.path} bytes={made.size} sha256={made.digest}")
        self.stdout.write(f"head: {made.head or 'none'}")
        for path in made.removed:
            self.stdout.write(f"removed {path}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 1 on.")
    return int(text)
