"""Applied migrations that this release does not have."""

from typing import Any

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "notifications"
# The first migration of every database that was made before release 0.1.0, whose own
# first migration has another name.
BEFORE_0_1_0 = "0001_initial"


def unknown_migrations(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Names of applied migrations that are not in this release, sorted.

    A newer release applied them, during an update or before a step back to this one.
    """
    if connections[using].vendor not in ("sqlite", "postgresql"):
        return []  # no usable database is configured; another check reports that
    on_disk = MigrationLoader(None).disk_migrations
    applied = MigrationRecorder(connections[using]).applied_migrations()
    return sorted(
        name for app, name in applied if app == APP and (app, name) not in on_disk
    )


def refuse_development_database(using: str, **_kwargs: Any) -> None:
    """Receiver of ``pre_migrate``. Raises ``CommandError`` before anything is changed.

    Tables and canonical text of development states before 0.1.0 were not kept readable.
    """
    if BEFORE_0_1_0 in unknown_migrations(using):
        raise CommandError(
            "This database was made by a development state before release 0.1.0, whose "
            "tables no release can read. Nothing was changed. Export what you need with "
            "the program that made it; then name an empty database in DATABASE_URL and "
            "run migrate again."
        )
