"""Databases of other releases: newer ones, and development states before 0.1.0."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from notifications.db.migrations import unknown_migrations
from notifications.record.guards import install as guards_install

pytestmark = pytest.mark.django_db


def test_migrations_of_a_newer_release_are_named():
    assert unknown_migrations() == []

    MigrationRecorder(connection).record_applied("notifications", "9999_newer")

    assert unknown_migrations() == ["9999_newer"]


def test_a_database_from_before_0_1_0_is_refused_and_left_as_it_is():
    MigrationRecorder(connection).record_applied("notifications", "0001_initial")

    with pytest.raises(CommandError, match=r"before release 0\.1\.0") as refusal:
        call_command("migrate", verbosity=0)

    assert "set DATABASE_URL to an empty database" in str(refusal.value)
    assert guards_install.missing() == []


def test_a_newer_database_is_not_refused():
    MigrationRecorder(connection).record_applied("notifications", "9999_newer")

    call_command("migrate", verbosity=0)
