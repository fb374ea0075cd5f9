"""What a recall or a correction refuses, leaves out, or stops first."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import permissions
from notifications.amendments.messages import LeftOut, Part, present_texts, preview
from notifications.amendments.services import Order, correct, recall
from notifications.audit.settings_changes import record_settings
from notifications.models import AuditEntry, Channel, Delivery, Notification
from tests.factories import (
    make_archive,
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

S = Delivery.Status
REASON = "wrong date"
NEW = "Maintenance tomorrow from 23:00."


def make_sent(status: str = "completed", **kwargs) -> Notification:
    return make_notification(status=status, channel=Channel.GROUP_MESSAGE, **kwargs)


def make_message(notification: Notification, **kwargs) -> Delivery:
    values = {
        "status": "accepted",
        "msg_seq": 7,
        "finished_at": timezone.now(),
    } | kwargs
    return make_delivery(notification, **values)


def end(run: Notification, status: str = S.ACCEPTED, **values) -> None:
    """As the worker does with all rows of the run."""
    values = {"error_code": 0} | values if status == S.ACCEPTED else values
    run.deliveries.update(
        status=status,
        attempt_count=1,
        msg_seq=7,
        finished_at=timezone.now(),
        **values,
    )
    run.complete()


@pytest.fixture
def sent() -> Notification:
    notification = make_sent()
    make_message(notification)
    make_message(notification, group=make_group(group_id="live", type="AVChatRoom"))
    return notification


# --- who, and what --------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, permissions.AUDITOR])
def test_only_people_who_may_send(sent, role):
    user = make_user(role, username="wang.fang")

    with pytest.raises(PermissionDenied):
        recall(user, sent.pk, reason=REASON)
    with pytest.raises(PermissionDenied):
        correct(user, sent.pk, content=NEW)
    assert not sent.amendments.exists()


def test_a_colleague_may_without_taking_it_over(manager, sent):
    assert sent.sender != manager
    run = recall(manager, sent.pk, reason=REASON).run

    assert run.sender == manager


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"channel": Channel.SYSTEM_NOTIFICATION}, "A system notification cannot be"),
        ({"message_options": '{"online_only": true}'}, "were online only cannot be"),
    ],
)
def test_what_can_never_be_changed(manager, values, sentence):
    other = make_notification(
        **{"status": "completed", "channel": Channel.GROUP_MESSAGE} | values
    )

    with pytest.raises(ValidationError, match=sentence):
        recall(manager, other.pk, reason=REASON)
    with pytest.raises(ValidationError, match=sentence):
        correct(manager, other.pk, content=NEW)


def test_a_recall_cannot_be_taken_back(manager, sent):
    run = recall(manager, sent.pk, reason=REASON).run

    with pytest.raises(ValidationError, match="It changes another notification"):
        recall(manager, run.pk, reason=REASON)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Write the reason"),
        (" \n\t ", "Write the reason"),
        ("wrong\x07date", "control character"),
        ("x" * 101, "1 bytes too long; Tencent takes 100"),
        ("期" * 34, "2 bytes too long"),
    ],
)
def test_a_reason_that_tencent_does_not_take(manager, sent, reason, sentence):
    with pytest.raises(ValidationError, match=sentence) as refused:
        recall(manager, sent.pk, reason=reason)

    assert set(refused.value.message_dict) == {"reason"}


@pytest.mark.parametrize("reason", ["x" * 100, "👨‍👩‍👧 entfällt <b>", "期" * 33])
def test_a_reason_that_tencent_takes(manager, sent, reason):
    assert recall(manager, sent.pk, reason=reason).run.content == reason


def test_a_part_with_unknown_names(manager, sent):
    part = Part(types=["Secret"], labels=["North"], group_ids=["live", "nowhere"])

    for service, text in ((recall, {"reason": REASON}), (correct, {"content": NEW})):
        with pytest.raises(ValidationError) as refused:
            service(manager, sent.pk, part=part, **text)
        assert refused.value.message_dict == {
            "types": ["Not a type of group: Secret."],
            "labels": ["There is no such label: North."],
            "group_ids": [
                "This notification did not go to: nowhere. Remove these groups."
            ],
        }


def test_a_part_without_a_group(manager, sent):
    with pytest.raises(ValidationError, match="No group of this notification matches"):
        recall(manager, sent.pk, reason=REASON, part=Part(types=["Community"]))


def test_the_token_of_something_else(manager, sent):
    other = make_sent()
    for service, text in ((recall, {"reason": REASON}), (correct, {"content": NEW})):
        with pytest.raises(ValidationError, match="This page is out of date"):
            service(manager, sent.pk, order=Order(token=other.token), **text)


# --- which messages -------------------------------------------------------------------


def test_what_is_left_out(sent):
    def left_out(channel=Channel.RECALL):
        return dict(preview(sent, channel).left_out)

    assert left_out() == {}
    make_message(sent, status="failed", msg_seq=None)
    make_message(sent, status="cancelled", msg_seq=None)
    make_message(sent, status="unconfirmed", msg_seq=None)
    make_message(sent, msg_seq=None)
    make_message(sent, finished_at=timezone.now() - timedelta(days=8))
    assert left_out() == {
        LeftOut.NOT_SENT: 2,
        LeftOut.NOT_KNOWN: 2,
        LeftOut.TOO_OLD: 1,
    }
    assert left_out(Channel.CORRECTION) == left_out() | {LeftOut.LIVE_ROOM: 1}


def test_a_message_is_too_old_after_the_days_of_the_edition(sent, settings):
    make_message(sent, finished_at=timezone.now() - timedelta(days=8))
    settings.IM_HISTORY_DAYS = 30
    counts = preview(sent, Channel.RECALL)

    assert counts.groups == 3
    left = counts.until - timezone.now()
    assert timedelta(days=21, hours=23) < left < timedelta(days=22)


def test_a_closed_group_is_tried(manager):
    sent = make_sent()
    make_message(sent, group=make_group(state="closed"))

    assert recall(manager, sent.pk, reason=REASON).run.audience_count == 1


def test_what_is_not_settled_is_included_and_waits(manager):
    sent = make_sent()
    known = make_message(sent)
    asked = make_message(
        sent, status="unconfirmed", msg_seq=None, next_query_at=timezone.now()
    )
    in_flight = make_message(sent, status="sending", msg_seq=None, finished_at=None)
    counts = preview(sent, Channel.RECALL)
    assert (counts.groups, counts.waiting) == (3, 2)

    run = recall(manager, sent.pk, reason=REASON).run

    due = run.deliveries.filter(not_before__lte=timezone.now())
    assert list(due.values_list("amended_delivery", flat=True)) == [known.pk]
    waiting = run.deliveries.exclude(pk__in=due)
    assert set(waiting.values_list("amended_delivery", flat=True)) == {
        asked.pk,
        in_flight.pk,
    }


def test_a_message_whose_recall_has_no_result_is_left_out(manager, sent):
    """A second one would be refused as soon as the first one turns out to be done."""
    run = recall(manager, sent.pk, reason=REASON).run
    end(run, S.UNCONFIRMED, reason="no_answer", next_query_at=timezone.now())

    for channel in (Channel.RECALL, Channel.CORRECTION):
        assert dict(preview(sent, channel).left_out) == {LeftOut.BEING_TAKEN_BACK: 2}


def test_after_a_recall_that_failed_it_can_be_taken_back_again(manager, sent):
    run = recall(manager, sent.pk, reason=REASON).run
    end(run, S.FAILED, error_code=10002)

    assert recall(manager, sent.pk, reason=REASON).run.audience_count == 2


def test_archived_rows_are_gone(manager):
    sent = make_sent()
    make_seal(sent)
    make_archive(sent)

    with pytest.raises(ValidationError, match="It is archived"):
        recall(manager, sent.pk, reason=REASON)


def test_a_resend_is_taken_back_by_itself(manager, sent):
    again = make_sent(resend_of=sent)
    make_message(again)

    assert recall(manager, again.pk, reason=REASON).run.audience_count == 1
    assert preview(sent, Channel.RECALL).groups == 2


# --- what stops first -----------------------------------------------------------------


@pytest.mark.parametrize("status", ["sending", "paused", "scheduled"])
def test_an_open_send_stops_first(manager, status):
    values = {"scheduled_for": timezone.now()} if status == "scheduled" else {}
    sent = make_sent(status, **values)
    waiting = make_delivery(sent)
    if status != "scheduled":
        make_message(sent)

    started = recall(manager, sent.pk, reason=REASON)

    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.status, waiting.status) == ("cancelled", "cancelled")
    assert started.was_stopped
    assert (started.run is None) == (status == "scheduled")
    assert AuditEntry.objects.filter(action="stopped").count() == 1


@pytest.mark.parametrize("status", ["sending", "paused"])
def test_an_open_correction_stops_first(manager, sent, status):
    correction = correct(manager, sent.pk, content=NEW)
    if status == "paused":
        correction.pause(Notification.PauseReason.PERSON, by="x")

    recall(manager, sent.pk, reason=REASON)

    correction.refresh_from_db()
    assert correction.status == "cancelled"
    assert correction.deliveries.get().status == S.CANCELLED


# --- corrections ----------------------------------------------------------------------


def test_a_correction_waits_for_the_end_of_the_send(manager):
    sent = make_sent("sending")
    make_message(sent)

    with pytest.raises(ValidationError, match="It is still being sent"):
        correct(manager, sent.pk, content=NEW)


@pytest.mark.parametrize("channel", ["Recall", "Correction"])
def test_a_correction_waits_for_the_end_of_another_one(manager, sent, channel):
    if channel == "Recall":
        run = recall(manager, sent.pk, reason=REASON).run
    else:
        run = correct(manager, sent.pk, content="Other text")

    with pytest.raises(
        ValidationError, match=f"{channel} {run.pk} of this notification"
    ):
        correct(manager, sent.pk, content=NEW)


def test_a_former_correction_without_a_result_is_left_out(manager, sent):
    """A query about it would find the new text, and take the correction for not made."""
    make_message(sent)
    run = correct(manager, sent.pk, content="Other text")
    end(run, S.UNCONFIRMED, reason="no_answer", next_query_at=timezone.now())

    with pytest.raises(ValidationError, match="2 · a former correction has no result"):
        correct(manager, sent.pk, content=NEW)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write the message"),
        (" \n ", "Write the message"),
        ("a\x07b", "control character"),
        ("x" * 8001, "1 byte too long"),
    ],
)
def test_a_text_that_cannot_be_sent(manager, sent, text, sentence):
    with pytest.raises(ValidationError, match=sentence) as refused:
        correct(manager, sent.pk, content=text)
    assert set(refused.value.message_dict) == {"content"}


def test_a_text_that_is_too_long_with_the_rest_of_the_message(manager):
    sent = make_sent(message_options=json.dumps({"custom_data": "x" * 6000}))
    make_message(sent)

    with pytest.raises(ValidationError, match="bytes too long together") as refused:
        correct(manager, sent.pk, content="y" * 7000)
    assert set(refused.value.message_dict) == {"content"}


def test_the_options_of_the_message_are_kept(manager):
    options = '{"image_url": "https://example.com/a.png"}'
    sent = make_sent(message_options=options)
    make_message(sent)

    assert correct(manager, sent.pk, content=NEW).message_options == options


def test_the_text_that_all_groups_have(manager, sent):
    with pytest.raises(ValidationError) as refused:
        correct(manager, sent.pk, content=f"  {sent.content}\n")
    assert refused.value.message_dict == {
        "content": ["Every group that can be corrected has this text already."]
    }


def test_a_text_that_some_groups_have_goes_to_the_others(manager, sent):
    second = make_message(sent)
    end(correct(manager, sent.pk, content=NEW, part=Part(group_ids=[second.group_id])))
    assert dict(present_texts(sent)) == {sent.content: 1, NEW: 1}

    run = correct(manager, sent.pk, content=NEW)

    assert run.audience_count == 1
    assert AuditEntry.objects.latest("id").detail["left_out_reasons"] == {
        "live_room": 1,
        "same_text": 1,
    }


def test_a_correction_can_be_corrected(manager, sent):
    end(correct(manager, sent.pk, content=NEW))
    assert present_texts(sent) == [(NEW, 1)]

    end(correct(manager, sent.pk, content=sent.content))

    assert present_texts(sent) == [(sent.content, 1)]


def test_the_text_is_not_known_after_a_correction_that_was_not_confirmed(manager, sent):
    end(correct(manager, sent.pk, content=NEW), S.UNCONFIRMED, reason="no_answer")

    assert present_texts(sent) == [("", 1)]
    assert preview(sent, Channel.CORRECTION, text=NEW).groups == 1


def test_a_message_that_was_taken_back_is_not_corrected(manager, sent):
    second = make_message(sent)
    part = Part(group_ids=[second.group_id])
    end(recall(manager, sent.pk, reason=REASON, part=part).run)

    run = correct(manager, sent.pk, content=NEW)

    assert run.audience_count == 1
    assert dict(preview(sent, Channel.CORRECTION).left_out)[LeftOut.TAKEN_BACK] == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("IM_SDK_APP_ID", "1400000009"),
        ("IM_REGION", "singapore"),
        ("IM_BASE_URL", "https://im.example"),
    ],
)
@pytest.mark.parametrize("channel", [Channel.RECALL, Channel.CORRECTION])
def test_message_of_another_application_is_left_out(settings, setting, value, channel):
    """Its group with the same ID belongs to other people, and has other messages."""
    notification = make_sent()
    present = getattr(settings, setting)
    setattr(settings, setting, value)
    record_settings("worker")
    now = timezone.now()
    make_message(notification, claimed_at=now)
    waiting = {"status": S.SENDING, "claimed_at": now, "attempt_count": 1, "owner": 1}
    make_message(notification, finished_at=None, msg_seq=None, **waiting)
    setattr(settings, setting, present)
    record_settings("worker")
    make_message(notification, claimed_at=timezone.now())

    counts = preview(notification, channel, text=NEW)

    assert (counts.groups, counts.left_out) == (1, {LeftOut.OTHER_APPLICATION: 2})
