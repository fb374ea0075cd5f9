"""The role of pages and workers on PostgreSQL owns nothing and cannot disable the guards."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from notifications.db.sql import refresh_statistics
from notifications.models import ChatGroup, Delivery, Label, Notification
from notifications.record.guards import privileges
from notifications.record.guards.install import guards_disabled
from notifications.system import state as system_state
from tests.environment import ROOT
from tests.factories import make_attempt, make_delivery, make_group
from tests.record.tampering import sql

pytestmark = pytest.mark.django_db

ROLE = "notifier_test_application"
TABLE = Delivery._meta.db_table
UPDATE = f"UPDATE {TABLE} SET error_info = 'x'"  # noqa: S608  name of the model


@pytest.fixture(autouse=True)
def _as_pages(settings):
    settings.CONNECTS_AS_OWNER = False


@pytest.fixture
def role():
    """The application's role in this database; ``None`` on SQLite, which has no roles."""
    if connection.vendor == "sqlite":
        return None
    sql(f"CREATE ROLE {ROLE}")
    privileges.grant("default", ROLE)
    return ROLE


@contextmanager
def logged_in_as(role: str) -> Iterator[None]:
    """``session_user`` changes as well, as after a login with this role."""
    sql(f"SET SESSION AUTHORIZATION {role}")
    try:
        yield
    finally:
        sql("RESET SESSION AUTHORIZATION")


def refused(error: type[DatabaseError], part: str, statement: str) -> None:
    with pytest.raises(error, match=part), transaction.atomic():
        sql(statement)


def lift() -> None:
    sql(
        "SELECT set_config('notifier.guards_lifted_in', pg_current_xact_id()::text, true)"
    )


def test_the_application_cannot_disable_the_guards(role):
    if role is None:
        return
    row = make_delivery(status="accepted")
    update = f"{UPDATE} WHERE id = {row.pk}"
    with logged_in_as(role):
        lift()
        refused(IntegrityError, "a finished delivery cannot be changed", update)
        with pytest.raises(IntegrityError), transaction.atomic(), guards_disabled():
            sql(update)
    row.refresh_from_db()
    assert row.error_info == ""


def test_another_role_within_the_session_does_not_help(role):
    """A function of the owner runs as the owner: ``session_user`` stays."""
    if role is None:
        return
    row = make_delivery(status="accepted")
    sql(
        "CREATE FUNCTION of_the_owner() RETURNS void LANGUAGE sql SECURITY DEFINER AS "
        f"$$ {UPDATE} WHERE id = {row.pk} $$"
    )
    with logged_in_as(role):
        lift()
        refused(IntegrityError, "cannot be changed", "SELECT of_the_owner()")


def test_the_owner_disables_them(role):
    row = make_delivery(status="accepted")
    with guards_disabled():
        sql(f"{UPDATE} WHERE id = {row.pk}")
    row.refresh_from_db()
    assert row.error_info == "x"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM notifications_attempt",
        "UPDATE notifications_attempt SET error_code = 1",
        "UPDATE notifications_auditentry SET actor = 'x'",
        "DELETE FROM notifications_seal",
        "DELETE FROM notifications_delivery",
        f"TRUNCATE {TABLE} CASCADE",
        f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
        f"DROP TRIGGER notifier_guard_delivery_update ON {TABLE}",
        f"DROP TABLE {TABLE} CASCADE",
        f"CREATE TRIGGER mine BEFORE INSERT ON {TABLE} FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE OR REPLACE FUNCTION notifier_guard_delivery_update() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "SET session_replication_role = replica",
        "INSERT INTO notifications_archive DEFAULT VALUES",
    ],
)
def test_the_application_is_refused(role, statement):
    if role is None:
        return
    make_attempt()
    with logged_in_as(role):
        refused(ProgrammingError, "permission denied|must be owner", statement)


def test_the_application_does_its_work(role):
    if role is None:
        return
    attempt = make_attempt()
    make_group()
    with logged_in_as(role):
        Label.objects.create(name="Berlin")
        Label.objects.update(name="Bonn")
        Label.objects.all().delete()
        assert len(Notification.objects.select_for_update()) == 1
        make_attempt(attempt.delivery, number=2)
        # PostgreSQL skips ANALYZE by a role that does not own the table, with a warning.
        refresh_statistics(ChatGroup, "group_id")
        assert run_checks(tags=["database"], databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE relname = 'notifications_chatgroup'"
        )
        assert cursor.fetchone() == (ChatGroup.objects.count(),)


def test_the_verification_reads_the_sequence_of_the_trail(role):
    """PostgreSQL gives NULL instead of an error to a role without the privilege."""
    if role is None:
        return
    make_attempt()
    last = (
        "SELECT pg_sequence_last_value(pg_get_serial_sequence('notifications_attempt', "
        "'id')) IS NULL"
    )
    with logged_in_as(role), connection.cursor() as cursor:
        cursor.execute(last)
        assert cursor.fetchone() == (False,)


def test_every_table_has_its_privileges(role):
    if role is None:
        return
    tables = set(connection.introspection.table_names())
    assert {table for table, _privilege in privileges._expected("default")} == tables
    assert privileges._actual("default", role) == privileges._expected("default")


def test_missing_and_other_privileges_are_reported_and_corrected(role, settings):
    if role is None:
        return
    sql(f"REVOKE INSERT ON notifications_label FROM {role}")
    sql(f"GRANT DELETE, TRIGGER ON notifications_seal TO {role}")
    sql(f"GRANT CREATE ON SCHEMA public TO {role}")
    with logged_in_as(role):
        (warning,) = run_checks(tags=["database"], databases=["default"])
        state = system_state.state(timezone.now())
    assert warning.id == "notifier.W027"
    assert (
        "than it should have: CREATE on the schema public, DELETE on notifications_seal, "
        "TRIGGER on notifications_seal, no INSERT on notifications_label."
    ) in warning.msg
    assert len(state.wrong_privileges) == 4

    settings.APPLICATION_ROLE = role
    call_command("migrate", verbosity=0)

    with logged_in_as(role):
        assert run_checks(tags=["database"], databases=["default"]) == []


def test_the_owner_is_reported(role):
    """Pages and workers; on SQLite there is no other role."""
    messages = run_checks(tags=["database"], databases=["default"])

    is_reported = connection.vendor == "postgresql"
    assert [message.id for message in messages] == ["notifier.W026"] * is_reported
    assert system_state.state(timezone.now()).connects_as_owner is is_reported


@pytest.mark.parametrize("command", ["migrate", "archive_history"])
def test_commands_of_the_owner_refuse_another_role(role, command, tmp_path):
    if role is None:
        return
    options = {
        "migrate": [],
        "archive_history": ["--before=2026-01-01", f"--to={tmp_path}"],
    }
    with (
        logged_in_as(role),
        pytest.raises(CommandError, match="Set DATABASE_OWNER_URL"),
    ):
        call_command(command, *options[command], verbosity=0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody_here", "which does not exist"),
        ("", "owns the tables or is a superuser"),
    ],
)
def test_no_privileges_for_a_role_that_cannot_be_meant(role, settings, name, reason):
    if role is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        (owner,) = cursor.fetchone()
    settings.APPLICATION_ROLE = name or owner
    with pytest.raises(CommandError, match=reason):
        call_command("migrate", verbosity=0)


@pytest.fixture
def two_roles(tmp_path):
    """A database as docs/deploy.md creates it; its variables, or ``None`` on SQLite."""
    if connection.vendor == "sqlite":
        yield None
        return
    server = connection.settings_dict
    address = f"{server['HOST']}:{server['PORT']}"
    name = f"notifier_{os.getpid()}"
    with psycopg.connect(
        f"postgres://{server['USER']}:{server['PASSWORD']}@{address}/postgres",
        autocommit=True,
    ) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'a'")
        admin.execute(f"CREATE ROLE {name}_owner LOGIN PASSWORD 'b'")
        admin.execute(f"CREATE DATABASE {name} OWNER {name}_owner TEMPLATE template0")
        try:
            yield os.environ | {
                "STATE_DIR": str(tmp_path),
                "DATABASE_URL": f"postgres://{name}:a@{address}/{name}",
                "DATABASE_OWNER_URL": f"postgres://{name}_owner:b@{address}/{name}",
            }
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP ROLE {name}, {name}_owner")


def manage(environment, *arguments):
    process = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


def test_migrate_and_archive_connect_as_the_owner_and_all_others_do_not(
    two_roles, tmp_path
):
    if two_roles is None:
        return
    without_owner = {k: v for k, v in two_roles.items() if k != "DATABASE_OWNER_URL"}
    check = ["check", "--database", "default"]
    archive = ["archive_history", "--before", "2026-01-01", "--to", str(tmp_path)]

    assert manage(without_owner, "migrate", "--verbosity", "0")[0] != 0
    assert manage(two_roles, "migrate", "--verbosity", "0") == (0, "")
    code, text = manage(two_roles, *check)
    assert (code, "no issues" in text) == (0, True), text
    code, text = manage(without_owner, "migrate")
    assert "migrate changes what only the owner of the tables may change" in text
    assert manage(two_roles, *archive)[0] == 0
    code, text = manage(without_owner, *archive)
    assert (code, "Set DATABASE_OWNER_URL" in text) == (2, True), text
    owner = two_roles | {"DATABASE_URL": two_roles["DATABASE_OWNER_URL"]}
    assert "notifier.W026" in manage(owner, *check)[1]
    assert "Give DATABASE_URL another role" in manage(owner, "migrate")[1]
