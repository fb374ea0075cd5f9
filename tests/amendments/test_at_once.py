"""Recalls and corrections at the same time as each other, and as a worker."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from notifications import permissions
from notifications.amendments.services import Order, Started, correct, recall
from notifications.delivery.controls import pause, resume, stop
from notifications.models import AuditEntry, Channel, Notification, WrongState
from notifications.permissions import lock_people
from tests.amendments.conftest import GROUPS, make_sending, work
from tests.factories import make_user
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

SERVICES = "notifications.amendments.services"
REASON = "wrong date"
NEW = "Maintenance tomorrow from 23:00."


@pytest.fixture
def colleague() -> User:
    return make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")


@pytest.fixture
def sending(sandbox, settings, tmp_path) -> Notification:
    settings.STATE_DIR = tmp_path
    return make_sending(sandbox)


def runs(notification: Notification, channel: str) -> list[Notification]:
    return list(notification.amendments.filter(channel=channel).order_by("pk"))


@pytest.mark.parametrize("at", ["preview", "_create", "_start"])
def test_two_people_take_it_back(manager, colleague, sent, states, at):
    first, second = interleave(
        lambda: recall(manager, sent.pk, reason=REASON),
        lambda: recall(colleague, sent.pk, reason="other reason"),
        at=f"{SERVICES}.{at}",
    )

    assert isinstance(second, ValidationError)
    assert second.messages == [
        "There is no message left to change: 3 · being taken back already."
    ]
    assert runs(sent, Channel.RECALL) == [first.run]
    work()
    assert set(states().values()) == {""}


def test_a_double_click_starts_one_run(manager, sent):
    order = Order()
    results = interleave(
        lambda: recall(manager, sent.pk, reason=REASON, order=order),
        lambda: recall(manager, sent.pk, reason=REASON, order=order),
        at=f"{SERVICES}._create",
    )

    [run] = runs(sent, Channel.RECALL)
    assert results == (Started(run), Started(run))
    assert AuditEntry.objects.filter(action="recalled").count() == 1


def test_two_people_stop_it_first(manager, colleague, sending):
    first, second = interleave(
        lambda: recall(manager, sending.pk, reason=REASON),
        lambda: stop(colleague, sending.pk),
        at=f"{SERVICES}.preview",
    )

    assert first == Started(None, was_stopped=True)
    assert isinstance(second, WrongState)
    assert AuditEntry.objects.filter(action="stopped").count() == 1


def test_it_is_continued_at_the_same_time(manager, sending):
    pause(manager, sending.pk)
    sending.controlled_by = manager
    sending.save(update_fields=["controlled_by"])
    first, second = interleave(
        lambda: recall(manager, sending.pk, reason=REASON),
        lambda: resume(manager, sending.pk),
        at=f"{SERVICES}.preview",
    )

    assert first.was_stopped
    assert isinstance(second, WrongState)


@pytest.mark.parametrize(
    "at",
    [
        "notifications.delivery.claim._mark",
        "notifications.delivery.results.ResultWriter.write",
        "notifications.delivery.results.ResultWriter._process_notification",
    ],
)
def test_a_worker_is_sending_it(manager, sending, states, at):
    """What it has claimed by then is sent, and taken back."""
    _worked, started = interleave(
        lambda: work(threads=1),
        lambda: recall(manager, sending.pk, reason=REASON),
        at=at,
    )
    work()

    assert isinstance(started, Started)
    assert set(states().values()) == {""}
    sending.refresh_from_db()
    assert sending.status == "cancelled"
    for run in runs(sending, Channel.RECALL):
        assert run.status == "completed"
        recalled = run.deliveries.filter(status="accepted").values("amended_delivery")
        accepted = sending.deliveries.filter(status="accepted")
        assert set(accepted.values_list("pk", flat=True)) == set(
            recalled.values_list("amended_delivery", flat=True)
        )


def test_a_correction_starts_before_the_recall(manager, colleague, sent, states):
    correction, started = interleave(
        lambda: correct(colleague, sent.pk, content=NEW),
        lambda: recall(manager, sent.pk, reason=REASON),
        at=f"{SERVICES}._start",
    )
    work()

    correction.refresh_from_db()
    assert correction.status == "cancelled"
    assert started.run.audience_count == len(GROUPS)
    assert set(states().values()) == {""}


def test_a_correction_starts_after_the_recall(manager, colleague, sent):
    started, refused = interleave(
        lambda: recall(manager, sent.pk, reason=REASON),
        lambda: correct(colleague, sent.pk, content=NEW),
        at=f"{SERVICES}._start",
    )

    assert isinstance(refused, ValidationError)
    assert f"Recall {started.run.pk} of this notification" in refused.messages[0]


def test_a_worker_is_correcting_it(manager, sent, states):
    """The recall stops the correction; a call in progress has its own result."""
    correction = correct(manager, sent.pk, content=NEW)
    interleave(
        lambda: work(threads=1),
        lambda: recall(manager, sent.pk, reason=REASON),
        at="notifications.delivery.claim._mark",
    )
    work()

    correction.refresh_from_db()
    assert correction.status in ("cancelled", "completed")
    assert set(states().values()) == {""}


def test_two_people_correct_it(manager, colleague, sent, states):
    first, second = interleave(
        lambda: correct(manager, sent.pk, content=NEW),
        lambda: correct(colleague, sent.pk, content="Another text."),
        at=f"{SERVICES}._create",
    )

    assert isinstance(second, ValidationError)
    assert f"Correction {first.pk} of this notification" in second.messages[0]
    work()
    assert states() == {"plaza": NEW, "hikers": NEW, "live": sent.content}


def test_the_right_is_lost_at_the_same_time(manager, sent):
    """The withdrawal waits for the end of the recall, or the recall misses the right."""

    def withdraw() -> None:
        with transaction.atomic():
            lock_people([manager.pk])
            manager.groups.clear()

    started, _ = interleave(
        lambda: recall(manager, sent.pk, reason=REASON),
        withdraw,
        at=f"{SERVICES}._create",
    )
    assert isinstance(started, Started)

    with pytest.raises(PermissionDenied):
        recall(manager, sent.pk, reason=REASON)
