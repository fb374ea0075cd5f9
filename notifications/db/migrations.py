"""Detect migrations that were applied but are not in this release."""

from typing import Any

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "notifications"
# The first migration of every database created before release 0.1.0. The first migration
# of that release has another name.
BEFORE_0_1_0 = "0001_initial"


def unknown_migrations(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the sorted names of applied migrations that are not in this release.

    A newer release applied them, during an update or before a rollback to this one.
    """
    if connections[using].vendor not in ("sqlite", "postgresql"):
        return []  # no usable database is configured; another check reports that
    on_disk = MigrationLoader(None).disk_migrations
    applied = MigrationRecorder(connections[using]).applied_migrations()
    return sorted(
        name for app, name in applied if app == APP and (app, name) not in on_disk
    )


def refuse_development_database(using: str, **_kwargs: Any) -> None:
    """Receiver of ``pre_migrate``. Raises ``CommandError`` before any change.

    This release cannot read tables and canonical text of development states before 0.1.0.
    """
    if BEFORE_0_1_0 in unknown_migrations(using):
        raise CommandError(
            "This database was created by a development state before release 0.1.0. No "
            "release can read its tables. Nothing was changed. Export your data with the "
            "program that created it, set DATABASE_URL to an empty database, and run "
            "migrate again."
        )
