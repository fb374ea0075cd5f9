"""Databases of earlier releases are upgraded, keep their seals, and remain usable.

Migrations and dumps of a release never change: see docs/deploy.md, "Changing tables".
"""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import global_settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from notifications import __version__, conf
from notifications.audit_log import EVENTS
from notifications.delivery.worker import SendWorker
from notifications.models import (
    ChatGroup,
    Delivery,
    DraftVersion,
    GroupSync,
    Notification,
    SavedAudience,
    Seal,
    Tally,
)
from notifications.rate_limit.clock import engine_clock
from notifications.record import sealing
from notifications.record.guards.install import guards_disabled, missing
from tests.environment import ROOT
from tests.factories import PASSWORD, code_of, make_delivery, make_notification
from tests.management.running import run
from tests.releases import dumps, kinds, people, scene


@pytest.fixture(params=dumps.RELEASES)
def release(
    request, settings, tmp_path, django_db_setup, django_db_blocker
) -> Iterator[str]:
    """The release whose dump is in the database, which belongs to a role of its own."""
    settings.SECRET_KEY = scene.SECRET_KEY
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    settings.STATE_DIR = tmp_path
    with django_db_blocker.unblock():
        connection.close()
        tests_database = {**connection.settings_dict}
        try:
            with empty_database(tests_database, tmp_path) as database:
                connection.settings_dict.update(database)
                dumps.load(connection.vendor, connection.settings_dict, request.param)
                yield request.param
                connection.close()
        finally:
            connection.settings_dict.update(tests_database)


@contextmanager
def empty_database(server: dict[str, Any], folder: Path) -> Iterator[dict[str, str]]:
    """Yield the settings by which it differs from the database of the tests."""
    if connection.vendor == "sqlite":
        yield {"NAME": str(folder / "notifier.sqlite3")}
        return
    name = f"notifier_release_{os.getpid()}"
    with psycopg.connect(
        dumps.address(server | {"NAME": "postgres"}), autocommit=True
    ) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'a'")
        admin.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
        try:
            yield {"NAME": name, "USER": name, "PASSWORD": "a"}
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP ROLE {name}")


@pytest.fixture
def upgraded(release) -> str:
    call_command("migrate", verbosity=0)
    return release


def head_of(release: str) -> str:
    return (dumps.FOLDER / release / "head").read_text().strip()


def logged_in(username: str) -> Client:
    client = Client()
    client.post("/login/", {"login": username, "password": PASSWORD})
    return client


def test_every_table_of_a_dump_has_rows(release):
    with connection.cursor() as cursor:
        empty = set()
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  its own name
            if cursor.fetchone() == (0,):
                empty.add(table)

    assert empty <= set(kinds.WITHOUT_ROWS)


def test_the_upgraded_record_is_unchanged(upgraded):
    archive = dumps.FOLDER / upgraded / "archive"
    code, out, err = run(
        "verify_history", "--expect", head_of(upgraded), "--archive", str(archive)
    )

    assert (code, err) == (0, "")
    assert out.endswith("Unchanged.\n")
    assert Seal.objects.get(head=head_of(upgraded)).previous
    assert {*Seal.objects.values_list("text_format", flat=True)} == {1}
    assert {*DraftVersion.objects.values_list("line_format", flat=True)} == {1}
    call_command("check", databases=["default"], fail_level="WARNING")
    assert missing() == []
    connection.check_constraints()


def test_people_log_in_with_what_they_had(upgraded):
    manager = logged_in("lin.mei")
    assert manager.get("/").status_code == 302
    answer = manager.post("/login/code/", {"code": code_of(people.APP_KEY)})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert manager.get("/").status_code == 200
    assert logged_in("gone").get("/").status_code == 302
    # The key of a passkey is readable.
    passkey = Authenticator.objects.get(user__username="wang.fang").wrap()
    key = passkey.authenticator_data.credential_data.public_key
    assert key[-2] == people.passkey_key().public_numbers().x.to_bytes(32)


PAGES = [
    *("index", "account", "history", "deliveries", "actions", "drafts", "audiences"),
    *("labels", "syncs", "group_import", "system", "connection"),
    *("auth_user_changelist", "auth_group_changelist"),
    "notifications_chatgroup_changelist",
]


def test_pages_show_what_the_release_wrote(upgraded):
    client = logged_in("admin")
    addresses = [reverse(f"admin:{name}") for name in PAGES]
    addresses += [f"{reverse('admin:actions')}?action={word}" for word in EVENTS]
    rows = {
        "notification_progress": Notification.objects.sent(),
        "delivery": Delivery.objects.history(),
        "sync": GroupSync.objects.all(),
        "audience": SavedAudience.objects.all(),
        "auth_user_change": User.objects.all(),
        "auth_group_change": Group.objects.all(),
        "notifications_chatgroup_change": ChatGroup.objects.all(),
    }
    for name, query in rows.items():
        pks = query.values_list("pk", flat=True)
        addresses += [reverse(f"admin:{name}", args=[pk]) for pk in pks]
    deleted = DraftVersion.objects.exclude(
        notification_number__in=Notification.objects.values("pk")
    ).values_list("notification_number", flat=True)
    addresses += [reverse("admin:draft_versions", args=[pk]) for pk in deleted]

    answers = {address: client.get(address).status_code for address in addresses}

    assert {a: code for a, code in answers.items() if code != 200} == {}


def test_what_the_release_left_unsealed_is_sealed_in_the_newest_format(upgraded):
    """As if the release had stopped before it sealed its last notification."""
    seal = Seal.objects.filter(
        kind="notification", notification__archive__isnull=True
    ).latest("number")
    number = seal.notification_id
    later = Seal.objects.filter(number__gte=seal.number)
    with guards_disabled():
        Tally.objects.filter(notification=number).delete()
        later.delete()

    sealing.seal_ended()

    sealed_again = Seal.objects.get(notification=number)
    assert (sealed_again.text_format, sealed_again.number) == (3, seal.number)
    code, _out, err = run(
        "verify_history",
        *("--notification", str(number)),
        *("--archive", str(dumps.FOLDER / upgraded / "archive")),
    )
    assert (code, err) == (0, "")


def test_evidence_of_what_the_release_sealed(upgraded, tmp_path):
    seal = Seal.objects.filter(
        kind="notification", notification__archive__isnull=True
    ).earliest("number")
    path = tmp_path / "evidence.zip"

    code, _out, err = run(
        "export_evidence",
        f"--notification={seal.notification_id}",
        f"--output={path}",
    )

    assert (code, err) == (0, "")
    with zipfile.ZipFile(path) as bundle:
        (name,) = (n for n in bundle.namelist() if n.endswith("/record.jsonl"))
        assert hashlib.sha256(bundle.read(name)).hexdigest() == seal.digest


def test_a_worker_sends_what_the_release_had_scheduled(upgraded, sandbox):
    for group in ChatGroup.objects.all():
        sandbox.add_group(group.group_id, group.type)
    scheduled = Notification.objects.get(status="scheduled")

    with time_machine.travel(scheduled.scheduled_for + timedelta(minutes=1)):
        SendWorker(
            conf.connection(),
            engine_clock(),
            stop_requested=lambda: False,
            until_idle=True,
            threads=2,
        ).run()

    scheduled.refresh_from_db()
    assert scheduled.status == "completed"
    assert scheduled.deliveries.counts()["accepted"] == 2
    assert not Notification.objects.filter(status="sending").exists()


@pytest.mark.django_db
def test_a_worker_of_the_release_before_cannot_claim_a_group_message():
    """It would send a system notification: it knows no channel, and draws no number."""
    notification = make_notification(status="sending", channel="group_message")
    message, other = make_delivery(notification), make_delivery()
    claim = (
        "UPDATE notifications_delivery SET status = 'sending', owner = 1, "
        "claimed_at = %s, attempt_count = attempt_count + 1 WHERE id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(claim, ["2026-03-02 09:30:00", other.pk])
        with (
            pytest.raises(IntegrityError, match="delivery_message_has_random"),
            transaction.atomic(),
        ):
            cursor.execute(claim, ["2026-03-02 09:30:00", message.pk])

    message.refresh_from_db()
    assert (message.status, message.attempt_count) == ("queued", 0)


@pytest.mark.parametrize("release", dumps.RELEASES)
def test_migrations_of_a_release_never_change(release):
    for line in (dumps.FOLDER / release / "migrations").read_text().splitlines():
        digest, name = line.split()
        text = (ROOT / "notifications" / "migrations" / name).read_bytes()
        assert hashlib.sha256(text).hexdigest() == digest, name


@pytest.mark.django_db
def test_the_next_dump_has_rows_of_every_kind(tmp_path):
    with scene.nothing_by_chance():
        scene.fill(tmp_path)

    assert kinds.missing_kinds() == []


@pytest.mark.one_database
def test_this_version_has_a_dump():
    assert __version__ in dumps.RELEASES
