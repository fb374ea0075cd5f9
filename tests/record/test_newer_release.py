"""Guards of a newer release stay unchanged during an update."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from notifications.record.guards import install as guards_install
from tests.record.tampering import drop_guard

pytestmark = pytest.mark.django_db

NAME = "notifier_guard_seal_update"


def replace_guard(condition: str) -> None:
    """Replace the guard with one of another release, which refuses something else."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {NAME}")
            cursor.execute(
                f"CREATE TRIGGER {NAME} BEFORE UPDATE ON notifications_seal "
                f"WHEN {condition} BEGIN SELECT RAISE(ABORT, 'newer'); END"
            )
        else:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $$ BEGIN IF {condition} THEN RAISE EXCEPTION 'newer'; END IF; "
                "RETURN NEW; END $$"
            )


def guard_body() -> str:
    with connection.cursor() as cursor:
        cursor.execute(guards_install._SELECT_TRIGGERS[connection.vendor])
        (body,) = (text for _table, name, text in cursor.fetchall() if name == NAME)
    return body


def newer_release() -> None:
    MigrationRecorder(connection).record_applied("notifications", "9999_newer")


def test_a_guard_of_a_newer_release_is_not_missing_and_stays():
    newer_release()
    replace_guard("OLD.number = 1")
    newer = guard_body()

    assert guards_install.missing() == []
    call_command("migrate", verbosity=0)
    assert guard_body() == newer


def test_a_missing_guard_is_reported_also_on_a_newer_release():
    newer_release()
    drop_guard(NAME, "notifications_seal")

    assert guards_install.missing() == [NAME]
    guards_install.install()
    assert guards_install.missing() == []


def test_without_a_newer_release_another_body_is_a_change():
    replace_guard("OLD.number = 1")

    assert guards_install.missing() == [NAME]


def test_the_check_says_that_the_tables_are_newer():
    assert run_checks(tags=["database"], databases=["default"]) == []

    newer_release()

    (warning,) = run_checks(tags=["database"], databases=["default"])
    assert (warning.id, warning.msg) == (
        "notifier.W021",
        "The tables are those of a newer release: 9999_newer.",
    )
