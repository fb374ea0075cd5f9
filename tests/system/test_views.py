"""The System page: permissions, facts and problems."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.models import GroupSync, Seal, SendingSwitch, TaskDeaths, Worker
from notifications.rate_limit.clock import engine_clock
from notifications.record import sealing
from notifications.record.audit_events import NOT_SEALED, VERIFIED
from notifications.system import machine
from notifications.system import state as system_state
from tests.environment import SECRET_KEY
from tests.factories import (
    make_attempt,
    make_delivery,
    make_notification,
    make_seal,
    make_sent_entry,
    make_user,
)
from tests.record.tampering import drop_guard, sql

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

QUERIES = 28


@pytest.fixture
def client(log_in):
    return log_in(make_user(permissions.SYSTEM_ADMINISTRATOR, username="li.na"))


def make_worker(name: str = "host:1") -> Worker:
    clock = engine_clock()
    return Worker.objects.create(
        name=name,
        boot_id=clock.boot_id,
        lease=clock.now(),
        heartbeat_at=timezone.now(),
    )


def verified(*, unchanged: bool = True, days: int = 0, archived: int = 0) -> None:
    audit_log.write(
        VERIFIED,
        "verify_history",
        at=timezone.now() - timedelta(days=days),
        unchanged=unchanged,
        archived=archived,
        only=None,
        since=None,
    )


def text_of(client) -> str:
    response = client.get("/system/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def problems(client) -> list[str]:
    return list(client.get("/system/").context["problems"])


def facts(client) -> dict[str, str]:
    sections = client.get("/system/").context["sections"]
    return {label: value for section in sections for label, value in section.rows}


@pytest.mark.parametrize(
    "role",
    [
        None,
        permissions.COMMUNITY_MANAGER,
        permissions.AUDITOR,
        permissions.PEOPLE_ADMINISTRATOR,
    ],
)
def test_others_are_refused_and_have_no_link(log_in, role):
    other = log_in(make_user(role))

    assert other.get("/system/").status_code == 403
    assert 'href="/system/"' not in other.get("/").content.decode()


def test_all_is_well(client):
    make_worker()

    page = text_of(client)

    assert "Everything is well." in page
    assert '<a href="/system/" aria-current="page">System</a>' in page
    assert "host:1" in page
    assert SECRET_KEY not in page
    assert "fingerprint" not in page


def test_the_facts(client):
    now = timezone.now()
    make_worker()
    sending = make_notification(status="sending")
    at = now - timedelta(seconds=30)
    make_delivery(sending, not_before=at, created_at=now)
    make_delivery(sending, status="sending", created_at=now)
    done = make_delivery(sending, status="accepted", created_at=now)
    make_attempt(done, started_at=now, finished_at=now)
    make_delivery(make_notification(status="paused"), created_at=now)
    seal = make_seal(make_notification(status="completed"))
    verified()
    GroupSync.objects.create(
        requested_by="li", status="completed", created_at=now, finished_at=now
    )

    shown = facts(client)

    assert shown["All sending"] == "allowed"
    assert shown["Waiting deliveries"] == "1 being sent, 1 paused, 0 scheduled"
    assert shown["First one due since"] == f"{at:%Y-%m-%d %H:%M:%S} UTC"
    assert shown["Being called now"] == "1"
    assert shown["Calls in the last minute"] == "1 of 11,400 at most"
    assert shown["Paused notifications"] == "Paused by a person (1)"
    assert shown["Deliveries of today"] == (
        "Accepted 1, Failed 0, Not confirmed 0, Cancelled 0"
    )
    assert shown["Last verified"].startswith("Unchanged, ")
    assert shown["Newest seal"] == f"{seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC"
    assert shown["Guards"] == "all in place"
    assert shown["What was committed"] == "survives a power cut"
    assert shown["Migrations"] == "all applied"
    assert shown["Newest sync"] == f"Finished, {now:%Y-%m-%d %H:%M:%S} UTC"
    assert connection.display_name in shown["Database"]


def test_problems_of_sending(client):
    now = timezone.now()
    make_notification(status="paused", paused_reason="doubt")
    make_notification(status="paused", paused_reason="late")
    SendingSwitch.objects.create(pk=1, is_off=True, changed_by="wang", changed_at=now)
    GroupSync.objects.create(requested_by="li", status="failed", finished_at=now)

    assert problems(client) == [
        "No worker is running: what was sent waits. Start one.",
        "wang stopped all sending.",
        "2 notifications were paused by the console and wait for a person: Too many "
        "calls in a row without an answer (1); The scheduled time was missed by more "
        "than 15 minutes (1).",
        "The newest sync of the groups failed. Its page says why.",
    ]


def test_a_stalled_queue(client):
    make_worker()
    now = timezone.now()
    at = now - timedelta(minutes=3)
    waiting = make_delivery(not_before=at)
    expected = [
        f"Deliveries are due since {at:%Y-%m-%d %H:%M:%S} UTC and nobody is called. "
        "Look into the log of the worker."
    ]

    assert problems(client) == expected
    make_attempt(waiting, started_at=now, finished_at=now, outcome="rejected")
    assert problems(client) == []


def test_problems_of_the_record(client):
    make_worker()
    make_seal(make_notification(status="completed"))
    overdue = "The record was not verified in the last two days."
    assert [text.startswith(overdue) for text in problems(client)] == [True]

    verified(days=3)
    assert [text.startswith(overdue) for text in problems(client)] == [True]

    verified(archived=1)
    assert [text.split(":")[0] for text in problems(client)] == [
        "The last verification cannot tell whether the archived notifications are unchanged"
    ]

    verified(unchanged=False)
    added = make_notification(status="completed")
    sealing.seal_ended()
    make_sent_entry(make_notification(status="completed"))  # ended in March
    sql(
        f'CREATE TRIGGER stranger AFTER INSERT ON "{Seal._meta.db_table}" '
        + (
            "BEGIN SELECT 1; END"
            if connection.vendor == "sqlite"
            else "FOR EACH ROW EXECUTE FUNCTION notifier_guard_seal_update()"
        )
    )
    guard = "notifier_guard_delivery_delete"
    drop_guard(guard)
    shown = problems(client)
    assert len(shown) == 5
    assert f"missing or were changed: {guard}. Run manage.py migrate" in shown[0]
    assert "trigger stranger (notifications_seal). Find out" in shown[1]
    assert f"so they are not sealed: {added.pk}. Run" in shown[2]
    assert shown[3].startswith(
        "The last verification found that the record was changed"
    )
    assert shown[4].startswith("A notification ended at 2026-03-02 09:31:00 UTC")


def test_an_entry_that_was_sealed_as_unreadable(client):
    make_worker()
    audit_log.write(NOT_SEALED, "sealing", problem="audit entry 7 cannot be read.")

    assert [text.split(".")[0] for text in problems(client)] == [
        "1 audit entry could not be read when it was sealed"
    ]


def test_problems_of_the_machine(client, monkeypatch, settings):
    make_worker()
    monkeypatch.setattr(system_state, "durability_problem", lambda: "Set it to FULL.")
    monkeypatch.setattr(system_state, "migrations_applied", lambda: False)
    monkeypatch.setattr(
        system_state.machine, "free_bytes", lambda: {"state": 499_999_999}
    )
    settings.IM_SDK_APP_ID = ""
    settings.IM_SECRET_KEY = ""  # the pages do not need it

    assert problems(client) == [
        "A power cut could undo what the database has confirmed, and groups could be "
        "called twice: Set it to FULL.",
        "The database is older than this version. Stop the worker, run manage.py "
        "migrate, and start it again.",
        "Disk of STATE_DIR: only 499 MB are free, and 500 MB must be.",
        "1 thing about the settings is missing or impossible: see below.",
    ]
    page = text_of(client)
    assert "IM_SDK_APP_ID is empty: nothing can be sent. Copy the SDKAppID" in page
    assert "IM_SECRET_KEY" not in page


def test_a_thread_that_died_is_named(client):
    died = {"task": "sealing", "count": 2, "last_error": "KeyError"}
    TaskDeaths.objects.create(**died, last_at=timezone.now())

    text = text_of(client)
    assert "of an unexpected error (KeyError): sealing." in text
    assert "<dt>Threads that died</dt> <dd> sealing 2 </dd>" in text

    TaskDeaths.objects.update(last_at=timezone.now() - timedelta(hours=1))
    assert "unexpected error" not in text_of(client)


def test_as_many_queries_for_one_worker_as_for_three(client, django_assert_num_queries):
    for _n in range(2):
        make_worker()
        make_seal(make_notification(status="completed"))
        make_delivery()
        verified()
        GroupSync.objects.create(
            requested_by="li", status="completed", finished_at=timezone.now()
        )
        with django_assert_num_queries(QUERIES):
            client.get("/system/")
        make_worker()
        make_notification(status="paused")


def test_style_sheets_that_are_missing_are_a_problem(client, monkeypatch):
    make_worker()
    monkeypatch.setattr(machine, "are_static_files_collected", lambda: False)

    (problem,) = problems(client)

    assert "manage.py collectstatic" in problem
