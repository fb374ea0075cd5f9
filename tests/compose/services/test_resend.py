"""Resending failed or unconfirmed deliveries, and resolving unconfirmed ones."""

import uuid
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import permissions
from notifications.audiences.validation import check_audience
from notifications.compose.services import resend as services_resend
from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.delivery import controls as delivery_controls
from notifications.delivery.controls import resolve_delivery
from notifications.delivery.resendable import ResendKind, resendable_deliveries
from notifications.models import AuditEntry, ChatGroup, Notification, WrongState
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(manager):
    """A notification with one delivery per result, by group ID."""
    notification = make_notification(
        sender=manager, status="completed", recipients="anna\nli", note="CM-1"
    )
    results = {
        "ok": {"status": "accepted"},
        "busy": {"status": "failed", "error_code": 60007},
        "gone": {"status": "failed", "error_code": 10010},
        "inside": {"status": "failed", "error_code": 10002},
        "silent": {"status": "unconfirmed"},
        "stopped": {"status": "cancelled"},
    }
    for group_id, values in results.items():
        make_delivery(notification, make_group(group_id=group_id), **values)
    return notification


def send_again(user, notification_id: int, kind: ResendKind, **kwargs) -> Notification:
    """As from the page that shows what would be sent now."""
    first = Notification.objects.get(pk=notification_id)
    digest = services_resend.preview(first, kind).digest
    return services_resend.send_again(
        user, notification_id, kind, **{"digest": digest} | kwargs
    )


def rows(notification: Notification) -> list[tuple]:
    return list(
        notification.deliveries.order_by("group_id").values_list(
            "group_id", "portion", "recipients", "status"
        )
    )


@pytest.mark.parametrize(
    ("kind", "group_ids"),
    [(ResendKind.FAILED, ["busy"]), (ResendKind.UNCONFIRMED, ["inside", "silent"])],
)
def test_a_new_notification_is_made_and_the_old_one_stays(
    manager, ended, kind, group_ids
):
    before = rows(ended)

    resend = send_again(manager, ended.pk, kind)

    assert rows(resend) == [(i, 1, "anna\nli", "queued") for i in group_ids]
    assert (resend.status, resend.resend_of_id, resend.content, resend.note) == (
        "sending",
        ended.pk,
        ended.content,
        "CM-1",
    )
    assert rows(ended) == before
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.notification_number) == ("resent", resend.pk)
    assert entry.detail.pop("digest")
    assert entry.detail == {
        "of": ended.pk,
        "channel": "system_notification",
        "kind": kind.value,
        "groups": len(group_ids),
        "deliveries": len(group_ids),
        "not_after": None,
    }
    assert (resend.audience_values, resend.audience_count) == (
        group_ids,
        len(group_ids),
    )


def test_a_second_press_lands_on_the_first_one(manager, ended):
    token = uuid.uuid4()
    first = send_again(manager, ended.pk, ResendKind.FAILED, token=token)

    again = send_again(manager, ended.pk, ResendKind.FAILED, token=token)
    assert again.pk == first.pk
    with pytest.raises(ValidationError, match="There is no group left"):
        send_again(manager, ended.pk, ResendKind.FAILED)
    assert Notification.objects.count() == 2


def test_a_page_of_the_other_kind_is_refused(manager, ended):
    digest = services_resend.preview(ended, ResendKind.FAILED).digest

    with pytest.raises(ValidationError, match="The groups changed"):
        send_again(manager, ended.pk, ResendKind.UNCONFIRMED, digest=digest)

    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"state": "switched_off"},
        {"state": "closed"},
        {"name": "Another name"},
        {"type": "Private"},
    ],
)
def test_a_group_that_changed_after_the_page_refuses_all(manager, ended, change):
    digest = services_resend.preview(ended, ResendKind.UNCONFIRMED).digest
    ChatGroup.objects.filter(group_id="inside").update(**change)

    with pytest.raises(ValidationError, match="The groups changed"):
        send_again(manager, ended.pk, ResendKind.UNCONFIRMED, digest=digest)

    assert Notification.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_rows_that_were_not_made_refuse_all(manager, ended):
    """A group is switched off between the choice of the rows and their insertion."""

    def switched_off(*arguments, **named):
        ChatGroup.objects.update(state="switched_off")
        return insert_deliveries(*arguments, **named)

    with (
        patch.object(services_resend, "insert_deliveries", switched_off),
        pytest.raises(ValidationError, match="The groups changed"),
    ):
        send_again(manager, ended.pk, ResendKind.UNCONFIRMED)

    assert Notification.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_a_group_that_vanished_after_the_check_refuses_all(manager, ended):
    def switched_off(audience):
        check_audience(audience)
        ChatGroup.objects.filter(group_id="inside").update(state="switched_off")

    with (
        patch.object(services_resend, "check_audience", switched_off),
        pytest.raises(ValidationError, match="The groups changed"),
    ):
        send_again(manager, ended.pk, ResendKind.UNCONFIRMED)

    assert Notification.objects.count() == 1


def test_the_time_after_which_no_call_starts_is_written_down(manager, ended):
    end = timezone.now() + timedelta(hours=1)

    resend = send_again(manager, ended.pk, ResendKind.FAILED, not_after=end)

    assert resend.not_after == end
    assert AuditEntry.objects.get().detail["not_after"] == end.isoformat()
    with pytest.raises(ValidationError, match="is over"):
        send_again(manager, ended.pk, ResendKind.UNCONFIRMED, not_after=timezone.now())


def test_only_the_portion_that_failed_goes_out_again(manager):
    notification = make_notification(
        sender=manager, status="completed", recipients="a\nb\nc"
    )
    group = make_group(group_id="g")
    make_delivery(notification, group, status="accepted", portion=1, recipients="a\nb")
    make_delivery(
        notification,
        group,
        status="failed",
        error_code=60007,
        portion=2,
        recipients="c",
    )

    resend = send_again(manager, notification.pk, ResendKind.FAILED)

    assert rows(resend) == [("g", 2, "c", "queued")]


def test_a_group_that_was_switched_off_is_excluded(manager, ended):
    make_group(group_id="other")
    type(make_group()).objects.filter(group_id="busy").update(state="switched_off")

    assert not resendable_deliveries(ended, ResendKind.FAILED).exists()
    with pytest.raises(ValidationError, match="There is no group left"):
        send_again(manager, ended.pk, ResendKind.FAILED)


def test_a_group_that_takes_notices_for_everybody_by_now(manager, ended):
    type(make_group()).objects.filter(group_id="busy").update(type="AVChatRoom")

    with pytest.raises(ValidationError, match="can only be sent to everyone"):
        send_again(manager, ended.pk, ResendKind.FAILED)

    assert Notification.objects.count() == 1


@pytest.mark.parametrize("status", ["sending", "paused"])
def test_not_while_the_first_one_runs(manager, status):
    notification = make_notification(sender=manager, status=status)
    make_delivery(notification, status="failed", error_code=60007)

    with pytest.raises(WrongState):
        send_again(manager, notification.pk, ResendKind.FAILED)


def test_only_the_person_in_control_sends_again(manager, ended):
    auditor = make_user(permissions.AUDITOR, username="wang.fang")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")

    for user in (auditor, colleague):
        with pytest.raises(PermissionDenied):
            send_again(user, ended.pk, ResendKind.FAILED)
    assert Notification.objects.count() == 1

    delivery_controls.take_over(colleague, ended.pk)
    resend = send_again(colleague, ended.pk, ResendKind.FAILED)

    assert (resend.sender, resend.sender_name) == (colleague, "j.okafor")
    ended.refresh_from_db()
    assert ended.sender == manager


def test_a_doubt_is_cleared_up_beside_the_delivery(manager, ended):
    row = ended.deliveries.get(group_id="silent")

    resolve_delivery(manager, row.pk, note=" Anna\nsaw it ")

    row.refresh_from_db()
    assert row.status == "unconfirmed"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.delivery_number, entry.detail) == (
        "resolved",
        "lin.mei",
        row.pk,
        {"note": "Anna saw it"},
    )


@pytest.mark.parametrize(
    ("group_id", "note", "sentence"),
    [
        ("silent", " \n ", "Write what you found out."),
        ("silent", "x" * 201, "The note has 201 characters; the limit is 200."),
        ("ok", "seen", "Only a delivery that is not confirmed is cleared up."),
    ],
)
def test_what_cannot_be_cleared_up(manager, ended, group_id, note, sentence):
    row = ended.deliveries.get(group_id=group_id)

    with pytest.raises(ValidationError) as caught:
        resolve_delivery(manager, row.pk, note=note)

    assert caught.value.messages == [sentence]
    assert not AuditEntry.objects.exists()


def test_an_auditor_clears_nothing_up(ended):
    row = ended.deliveries.get(group_id="silent")
    auditor = make_user(permissions.AUDITOR, username="wang.fang")

    with pytest.raises(PermissionDenied):
        resolve_delivery(auditor, row.pk, note="seen")


def test_what_was_stopped_before_its_call_is_offered_once_more(manager, ended):
    resend = send_again(manager, ended.pk, ResendKind.FAILED)
    delivery_controls.stop(manager, resend.pk)

    assert [
        row.group_id for row in resendable_deliveries(ended, ResendKind.FAILED)
    ] == ["busy"]


def test_a_stopped_notification_waits_for_its_calls_in_progress(manager):
    first = make_notification(sender=manager, status="cancelled")
    make_delivery(first, status="unconfirmed")
    make_delivery(first, status="sending")

    with pytest.raises(WrongState):
        send_again(manager, first.pk, ResendKind.UNCONFIRMED)

    assert Notification.objects.get() == first


def test_the_record_names_only_the_members_who_are_sent_to(manager):
    group = make_group(type="Public")
    first = make_notification(
        sender=manager, status="completed", recipients="anna\nbob\nli"
    )
    make_delivery(first, group, status="accepted", recipients="anna")
    make_delivery(
        first, group, status="failed", error_code=60007, portion=2, recipients="bob\nli"
    )

    resend = send_again(manager, first.pk, ResendKind.FAILED)

    assert resend.recipient_ids == ["bob", "li"]


@pytest.mark.parametrize(
    ("kind", "group_ids"),
    [
        (ResendKind.FAILED, ["absent", "busy", "dropped"]),
        (ResendKind.UNCONFIRMED, ["doubt", "silent"]),
    ],
)
def test_a_message_goes_again_with_its_options_and_another_number(
    manager, kind, group_ids
):
    first = make_notification(
        sender=manager,
        status="completed",
        channel="group_message",
        message_options='{"mention_all": true, "priority": "High"}',
    )
    results = {
        "ok": {"status": "accepted"},
        "history": {"status": "accepted", "error_code": None, "reason": "in_history"},
        "busy": {"status": "failed", "error_code": 60007},
        "callback": {"status": "failed", "error_code": 10016},
        "dropped": {
            "status": "failed",
            "error_code": 0,
            "reason": "dropped",
            "drop_reason": "MsgFreqCtrl",
        },
        "absent": {"status": "failed", "error_code": None, "reason": "not_in_history"},
        "silent": {"status": "unconfirmed"},
        "doubt": {
            "status": "unconfirmed",
            "error_code": 10002,
            "reason": "uncertain_code",
        },
    }
    for group_id, values in results.items():
        make_delivery(first, make_group(group_id=group_id), **values)

    resend = send_again(manager, first.pk, kind)

    assert [row[0] for row in rows(resend)] == group_ids
    assert (resend.channel, resend.options) == (first.channel, first.options)
    columns = resend.deliveries.values_list("channel", "mention_all", "random")
    assert set(columns) == {("group_message", True, None)}
