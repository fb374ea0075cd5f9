"""The background task of the sync: which worker syncs, when it is due, what is removed."""

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery.background import BackgroundTask
from notifications.delivery.threads import Deaths
from notifications.delivery.worker import SendWorker
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import services as sync_services
from notifications.groups.sync.details import GroupAddedMeanwhile
from notifications.groups.sync.queries import RUNS_WITH_CHANGES
from notifications.groups.sync.run import SyncRun
from notifications.groups.sync.task import sync_task
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem, Worker
from notifications.rate_limit.clock import engine_clock
from tests.factories import make_group, make_notification, make_user
from tests.groups.sync.conftest import quick_run

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def living_worker() -> int:
    return Worker.objects.create(
        name="w", boot_id="b", lease=0, heartbeat_at=timezone.now()
    ).pk


def task_of(worker: int, make_run=quick_run) -> BackgroundTask:
    """A task for ``run_once``, in the thread of the test."""
    task = sync_task(conf.connection(), make_run=make_run)
    task.worker_id = lambda: worker
    return task


def ended(**kwargs) -> GroupSync:
    values = {"requested_by": "x", "status": "completed", "finished_at": NOW}
    return GroupSync.objects.create(**values | kwargs)


@pytest.mark.django_db
def test_the_oldest_of_several_workers_syncs(tencent):
    tencent.add_group("g", "Public")
    oldest, younger = living_worker(), living_worker()
    sync = GroupSync.objects.create(requested_by="lin.mei")

    task_of(younger).run_once()
    sync.refresh_from_db()
    assert sync.status == "waiting"

    task_of(oldest).run_once()
    sync.refresh_from_db()
    assert sync.status == "completed"
    assert SyncItem.objects.count() == 0  # they are of no use any more


def failing_run(error):
    class FailingRun(SyncRun):
        def run(self):
            raise error

    return FailingRun


@pytest.mark.django_db(transaction=True)
def test_a_mistake_in_this_program_ends_the_run_and_is_logged(tencent, caplog):
    broken = failing_run(KeyError("mistake"))
    sync = GroupSync.objects.create(requested_by="x", status="running", started_at=NOW)

    task = task_of(living_worker(), broken)
    task.run_once()

    sync.refresh_from_db()
    assert (sync.status, sync.reason) == ("failed", "defect")
    assert task.deaths.counts == {"sync": 1}
    assert "Unexpected error" in caplog.text
    assert "KeyError: 'mistake'" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OperationalError(), "OperationalError"),
        (GroupAddedMeanwhile(), "A group was added meanwhile"),
    ],
)
def test_an_error_that_may_pass_fails_no_run(tencent, caplog, error, line):
    caplog.set_level("INFO")
    sync = GroupSync.objects.create(requested_by="x")

    task = task_of(living_worker(), failing_run(error))
    task.run_once()

    sync.refresh_from_db()
    assert (sync.status, task.deaths.counts) == ("waiting", {})
    assert line in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_violated_constraint_is_not_taken_for_a_group_that_exists(tencent, caplog):
    sync = GroupSync.objects.create(requested_by="x", status="running")

    task_of(living_worker(), failing_run(IntegrityError("another one"))).run_once()

    sync.refresh_from_db()
    assert (sync.status, sync.reason) == ("failed", "defect")
    assert "another one" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "last", "has_groups", "due"),
    [
        (24, None, False, True),  # an empty list fills by itself
        (24, None, True, False),  # one that people chose does not
        (0, None, False, False),
        (0, timedelta(days=9), True, False),
        (24, timedelta(hours=23), True, False),
        (24, timedelta(hours=24), True, True),
        (1, timedelta(hours=1), False, True),
    ],
)
def test_when_a_run_is_due(settings, hours, last, has_groups, due):
    settings.IM_SYNC_EVERY_HOURS = hours
    if last is not None:
        ended(created_at=NOW - last)
    if has_groups:
        make_group()

    sync_services.request_sync_if_due(NOW)

    made = GroupSync.objects.open().values_list("requested_by", "created_at")
    assert list(made) == ([("schedule", NOW)] if due else [])


@pytest.mark.django_db
def test_beside_an_open_run_none_is_due(settings):
    settings.IM_SYNC_EVERY_HOURS = 1
    GroupSync.objects.create(requested_by="x", created_at=NOW - timedelta(days=9))

    assert not sync_services.is_due(NOW)


@pytest.mark.django_db
def test_the_changes_of_the_last_runs_are_kept():
    for _n in range(RUNS_WITH_CHANGES + 2):
        sync = ended()
        for number in range(3):
            SyncChange.objects.create(sync=sync, kind="added", group_id=f"g{number}")
            SyncItem.objects.create(sync=sync, group_id=f"g{number}")
    open_one = GroupSync.objects.create(requested_by="x")
    SyncItem.objects.create(sync=open_one, group_id="g")
    pauses = []

    sync_finish.purge(lambda: pauses.append(1), block=2)

    assert SyncItem.objects.get().sync == open_one
    kept = set(SyncChange.objects.values_list("sync", flat=True))
    assert len(kept) == RUNS_WITH_CHANGES
    assert min(kept) == GroupSync.objects.order_by("pk")[2].pk
    assert len(pauses) > 30  # in small pieces


@pytest.mark.django_db(transaction=True)
def test_a_worker_syncs_and_sends_side_by_side(settings, tencent):
    """Both limits of Tencent are kept, and neither waits for the other."""
    make_run = partial(
        quick_run, lists_per_second=0.6, page_limit=500, list_filters=("",)
    )
    for number in range(600):
        tencent.add_group(f"g{number}", "Public", f"G {number}")
    for number in range(250):
        make_group(group_id=f"g{number}")
    user = make_user(permissions.COMMUNITY_MANAGER)
    draft = make_notification(sender=user, audience="every")
    services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())
    GroupSync.objects.create(requested_by="lin.mei")
    im = conf.connection()

    SendWorker(
        im,
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        tasks=[sync_task(im, every=0.05, make_run=make_run)],
    ).run()

    assert GroupSync.objects.get().status == "completed"
    assert ChatGroup.objects.count() == 600
    assert draft.deliveries.counts()["accepted"] == 250
    assert len(tencent.journal) == 250
    assert tencent.calls.codes("get_appid_group_list") == [0] * 2
    assert tencent.calls.most_in_window("get_appid_group_list", 1.0) == 1
    assert set(tencent.calls.codes("get_group_info")) == {0}
    assert tencent.calls.most_in_window("get_group_info") <= 200
    assert tencent.journal.most_in_window() <= 200


@pytest.mark.django_db(transaction=True)
def test_a_stop_leaves_the_run_for_the_next_worker(tencent):
    for number in range(100):
        tencent.add_group(f"g{number}", "Public")
    tencent.fail_next("get_appid_group_list", "slow:400")
    sync = GroupSync.objects.create(requested_by="lin.mei")
    worker = living_worker()
    task = sync_task(conf.connection(), every=0.01, make_run=quick_run)
    task.start(lambda: worker, Deaths())
    while not tencent.calls.codes("get_appid_group_list"):
        time.sleep(0.01)

    task.stop()

    sync.refresh_from_db()
    assert sync.status == "running"
    assert not task.is_idle()
    assert task.name not in {thread.name for thread in threading.enumerate()}
    task_of(worker).run_once()
    sync.refresh_from_db()
    assert (sync.status, ChatGroup.objects.count()) == ("completed", 100)
