"""``manage.py sync_chat_groups``: output and exit codes."""

import time

import pytest
from django.utils import timezone

from notifications.management.commands import sync_chat_groups
from notifications.models import AuditEntry, GroupSync, SyncChange, SyncItem
from tests.factories import MOMENT
from tests.management.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def _worker(monkeypatch):
    monkeypatch.setattr(sync_chat_groups, "has_live_worker", lambda: True)


def ending(monkeypatch, **values):
    """Do the worker's part while the command sleeps."""

    def work(_seconds):
        sync = GroupSync.objects.get()
        if sync.status == "waiting":
            sync.status, sync.started_at = "running", MOMENT
            SyncItem.objects.create(sync=sync, group_id="g")
            SyncChange.objects.create(sync=sync, kind="added", group_id="g")
        else:
            sync.finished_at = timezone.now()
            for name, value in values.items():
                setattr(sync, name, value)
        sync.save()

    monkeypatch.setattr(time, "sleep", work)


@pytest.mark.usefixtures("_worker")
def test_it_waits_for_the_end_and_writes_the_changes(monkeypatch):
    ending(monkeypatch, status="completed")

    code, out, err = run("sync_chat_groups")

    number = GroupSync.objects.get().pk
    assert (code, out) == (0, f"Sync {number}: 1 added\n")
    assert err == "0 of 0 groups read\n0 of 1 groups read\n"
    entry = AuditEntry.objects.get()
    assert entry.action == "sync_requested"
    assert entry.actor.startswith("sync_chat_groups (")


@pytest.mark.usefixtures("_worker")
def test_an_open_one_is_waited_for(monkeypatch):
    sync = GroupSync.objects.create(requested_by="li.na")
    ending(monkeypatch, status="completed")

    code, out, _err = run("sync_chat_groups")

    assert (code, out) == (0, f"Sync {sync.pk}: 1 added\n")
    assert GroupSync.objects.count() == 1


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"status": "failed", "error_code": 70009},
            "It failed. The secret key does not belong to this app. (70009) Ask whoever",
        ),
        ({"status": "cancelled"}, "It was stopped."),
    ],
)
def test_a_failure_and_a_stop_are_exit_code_1(monkeypatch, values, sentence):
    ending(monkeypatch, **values)

    code, out, err = run("sync_chat_groups")

    assert code == 1
    assert out.endswith(": 1 added\n")
    assert sentence in err


def test_without_a_worker_it_fails_and_the_request_stays():
    code, out, err = run("sync_chat_groups")

    assert (code, out) == (1, "")
    assert "no worker is running. Start manage.py send_worker" in err
    assert GroupSync.objects.get().status == "waiting"
