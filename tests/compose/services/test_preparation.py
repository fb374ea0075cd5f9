"""Large sends: created in blocks while the notification is a draft, or not at all."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection
from django.utils import timezone

from notifications import permissions
from notifications.compose.checked import ChangedSinceCheck, checked_of
from notifications.compose.services import preparation
from notifications.compose.services.drafts import delete_draft
from notifications.compose.services.preparation import BeingPrepared, discard_abandoned
from notifications.compose.services.send import send
from notifications.models import (
    AuditEntry,
    ChatGroup,
    Delivery,
    Label,
    Notification,
    Preparation,
)
from tests.factories import make_delivery, make_group, make_notification, make_user
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

PREPARATION = "notifications.compose.services.preparation"
SEND = "notifications.compose.services.send"


@pytest.fixture
def draft(manager, monkeypatch):
    """A draft for seven groups, which is sent in blocks of two."""
    monkeypatch.setattr(preparation, "_is_large", lambda number: True)
    monkeypatch.setattr(preparation, "BLOCK", 2)
    monkeypatch.setattr(preparation, "REMOVED_BLOCK", 2)
    for number in range(7):
        make_group(group_id=f"g{number}", name=f"Hikers {number}")
    return make_notification(
        sender=manager, sender_name="former", audience="every", content="ONE"
    )


def sending(manager, draft):
    return partial(send, manager, draft.pk, digest=checked_of(manager, draft).digest())


@contextmanager
def killed(monkeypatch, *, after: int):
    """A process that ends without cleanup after so many blocks."""
    blocks = iter(range(after))

    def pause(seconds: float) -> None:
        if next(blocks, None) is None:
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(preparation.time, "sleep", pause)
        patch.setattr(preparation, "_discard", lambda *arguments: None)
        yield


def assert_unchanged(draft) -> None:
    stored = Notification.objects.get(pk=draft.pk)
    assert (stored.status, stored.content) == ("draft", draft.content)
    assert not Delivery.objects.exists()
    assert not Preparation.objects.exists()
    assert not AuditEntry.objects.filter(action="sent").exists()


def test_a_large_send_is_created_in_blocks(manager, draft, monkeypatch):
    counts = []
    monkeypatch.setattr(
        preparation.time,
        "sleep",
        lambda seconds: counts.append(
            (Delivery.objects.count(), Notification.objects.get().status)
        ),
    )

    sent = sending(manager, draft)()

    assert counts == [(2, "draft"), (4, "draft"), (6, "draft"), (7, "draft")]
    assert (sent.pk, sent.status, sent.audience_count) == (draft.pk, "sending", 7)
    rows = sent.deliveries.order_by("id")
    assert list(rows.values_list("group_id", "status", "sender_name")) == [
        (f"g{number}", "queued", "lin.mei") for number in range(7)
    ]
    assert AuditEntry.objects.get(action="sent").detail["deliveries"] == 7
    assert not Preparation.objects.exists()


def test_the_record_is_that_of_a_send_in_one_transaction(manager, draft, monkeypatch):
    second = make_notification(sender=manager, audience="every", content="ONE")
    large = sending(manager, draft)()
    monkeypatch.setattr(preparation, "_is_large", lambda number: False)
    small = sending(manager, second)()

    first, other = (
        AuditEntry.objects.get(action="sent", notification_number=sent.pk).detail
        for sent in (large, small)
    )
    assert first == other
    assert large.checked_digest == small.checked_digest


@pytest.mark.parametrize(("groups", "is_large"), [(3, False), (4, True)])
def test_only_sqlite_prepares_sends_above_a_number(
    manager, monkeypatch, groups, is_large
):
    monkeypatch.setattr(preparation, "LARGE", 3)
    for _number in range(groups):
        make_group()
    draft = make_notification(sender=manager, audience="every")
    prepared = []
    monkeypatch.setattr(preparation.time, "sleep", prepared.append)

    assert sending(manager, draft)().deliveries.count() == groups
    assert bool(prepared) == (is_large and connection.vendor == "sqlite")


def test_few_of_many_groups_and_all_portions_are_counted(
    manager, monkeypatch, settings
):
    monkeypatch.setattr(preparation, "LARGE", 3)
    settings.IM_RECIPIENTS_PER_CALL = 1
    groups = [make_group() for _number in range(4)]
    draft = partial(
        make_notification,
        sender=manager,
        audience="chosen",
        audience_values=[groups[0].group_id],
    )

    assert not preparation._is_large(draft(recipients="a\nb\nc").pk)
    is_large = preparation._is_large(draft(recipients="a\nb\nc\nd").pk)
    assert is_large == (connection.vendor == "sqlite")


def test_other_writers_do_not_wait_for_the_end(manager, draft, monkeypatch):
    """A write between two blocks: it would wait for ever for one transaction."""

    def write(seconds: float) -> None:
        def in_another_connection() -> None:
            Label.objects.create(name=f"label {Label.objects.count()}")
            connection.close()

        writer = threading.Thread(target=in_another_connection)
        writer.start()
        writer.join()

    monkeypatch.setattr(preparation.time, "sleep", write)

    assert sending(manager, draft)().status == "sending"
    assert Label.objects.count() == 4


def test_the_deliveries_of_a_draft_are_not_history(manager, draft, monkeypatch):
    with killed(monkeypatch, after=2), pytest.raises(SystemExit):
        sending(manager, draft)()

    assert Delivery.objects.count() == 6
    assert not Delivery.objects.history().exists()


def test_an_error_leaves_nothing(manager, draft, monkeypatch):
    def fail(*arguments, **named):
        raise DatabaseError("disk full")

    press = sending(manager, draft)
    with monkeypatch.context() as patch:
        patch.setattr(f"{SEND}._send", fail)
        with pytest.raises(DatabaseError, match="disk full"):
            press()

    assert_unchanged(draft)
    assert sending(manager, draft)().deliveries.count() == 7


def test_the_worker_removes_what_a_killed_process_left(manager, draft, monkeypatch):
    with killed(monkeypatch, after=1), pytest.raises(SystemExit):
        sending(manager, draft)()

    with pytest.raises(BeingPrepared):
        sending(manager, draft)()
    with pytest.raises(BeingPrepared):
        delete_draft(manager, draft.pk, version=draft.version)
    discard_abandoned(lambda seconds: None)  # may still be alive
    assert Delivery.objects.count() == 4

    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        discard_abandoned(lambda seconds: None)

    assert_unchanged(draft)
    assert sending(manager, draft)().deliveries.count() == 7


def test_an_edit_meanwhile_is_not_overwritten(manager, draft):
    def edit() -> None:
        Notification.objects.update(content="TWO", version=2)

    sent, _ = interleave(sending(manager, draft), edit, at=f"{SEND}._send")

    assert isinstance(sent, ChangedSinceCheck)
    draft.content = "TWO"
    assert_unchanged(draft)


def test_a_right_that_is_withdrawn_meanwhile(manager, draft):
    sent, _ = interleave(
        sending(manager, draft),
        manager.groups.clear,
        at=f"{SEND}._send",
    )

    assert isinstance(sent, PermissionDenied)
    assert_unchanged(draft)


def test_a_draft_that_was_handed_over_meanwhile(manager, draft):
    other_manager = make_user(permissions.COMMUNITY_MANAGER, username="wang.fang")
    sent, _ = interleave(
        sending(manager, draft),
        lambda: Notification.objects.update(sender=other_manager),
        at=f"{SEND}._send",
    )

    assert isinstance(sent, PermissionDenied)
    assert not Delivery.objects.exists()


def test_only_who_may_send_begins(draft):
    auditor = make_user(permissions.AUDITOR, username="audit.li")
    with pytest.raises(PermissionDenied):
        send(auditor, draft.pk, digest=checked_of(auditor, draft).digest())

    assert_unchanged(draft)


@pytest.mark.parametrize("change", [{"is_superuser": True}, {"username": "lin"}])
def test_a_sender_who_changes_meanwhile(manager, draft, change):
    """The deliveries have the name, and the Check page showed both."""
    sent, _ = interleave(
        sending(manager, draft),
        lambda: User.objects.filter(pk=manager.pk).update(**change),
        at=f"{SEND}._send",
    )

    assert isinstance(sent, ChangedSinceCheck)
    assert_unchanged(draft)


def test_the_draft_of_another_person_is_not_prepared(draft, monkeypatch):
    """It would be refused to its owner meanwhile."""
    other = make_user(permissions.COMMUNITY_MANAGER, username="wang.fang")
    blocks: list[float] = []
    monkeypatch.setattr(preparation.time, "sleep", blocks.append)

    with pytest.raises(PermissionDenied):
        sending(other, draft)()

    assert blocks == []
    assert_unchanged(draft)


def test_a_second_tab_is_refused_while_the_first_one_prepares(manager, draft):
    first, second = interleave(
        sending(manager, draft), sending(manager, draft), at=f"{PREPARATION}._prepare"
    )

    assert isinstance(second, BeingPrepared)
    assert first.status == "sending"
    assert first.deliveries.count() == 7


def test_a_second_tab_after_the_end_gets_the_same_notification(manager, draft):
    press = sending(manager, draft)
    first, second = press(), press()

    assert (first.pk, second.pk, first.deliveries.count()) == (draft.pk, draft.pk, 7)


@pytest.mark.parametrize("point", [f"{PREPARATION}._prepare", f"{SEND}._send"])
def test_the_cleanup_of_a_process_that_only_stalled(manager, draft, point):
    """The worker removes the deliveries, and the process notices it."""

    def clean_up() -> None:
        Preparation.objects.update(active_at=timezone.now() - timedelta(minutes=3))
        discard_abandoned(lambda seconds: None)

    sent, _ = interleave(sending(manager, draft), clean_up, at=point)

    assert isinstance(sent, ChangedSinceCheck)
    assert_unchanged(draft)


@pytest.mark.parametrize(
    "change", [{"name": "Runners"}, {"type": "AVChatRoom"}, {"state": "closed"}]
)
def test_a_group_that_changes_meanwhile(manager, draft, monkeypatch, change):
    monkeypatch.setattr(
        preparation.time,
        "sleep",
        lambda seconds: ChatGroup.objects.filter(group_id="g6").update(**change),
    )

    with pytest.raises(ChangedSinceCheck):
        sending(manager, draft)()

    assert_unchanged(draft)


def test_a_group_that_changes_after_its_row_was_created(manager, draft):
    """The row has what the Check page showed; so has a row of a group that changes later."""
    sent, _ = interleave(
        sending(manager, draft),
        lambda: ChatGroup.objects.update(name="Runners"),
        at=f"{SEND}._send",
    )

    assert sent.status == "sending"
    assert not sent.deliveries.filter(group_name="Runners").exists()


def test_what_was_sent_is_never_removed(manager):
    """Even if the table of preparations names it."""
    sent = make_notification(status="sending")
    make_delivery(sent)
    Preparation.objects.create(
        notification=sent, active_at=timezone.now() - timedelta(hours=1)
    )

    discard_abandoned(lambda seconds: None)

    assert sent.deliveries.count() == 1


def test_an_invalid_draft_begins_nothing(manager, draft):
    ChatGroup.objects.update(state="closed")

    with pytest.raises(ValidationError):
        sending(manager, draft)()

    assert_unchanged(draft)
