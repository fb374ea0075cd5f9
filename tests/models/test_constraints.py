"""The database refuses each row that violates a constraint, by the constraint's name."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint

from notifications.models import (
    Approval,
    AuditEntry,
    Capability,
    ChatGroup,
    GroupSync,
    Label,
    Pace,
    SavedAudience,
    Seal,
    SendingSwitch,
    Tally,
    TaskDeaths,
    Worker,
)
from tests.factories import (
    MOMENT,
    make_amending,
    make_amendment,
    make_attempt,
    make_delivery,
    make_draft_version,
    make_group,
    make_notification,
    make_query,
    make_user,
)

pytestmark = pytest.mark.django_db

NOTIFICATION = [
    ("notification_has_content", {"content": ""}),
    ("notification_has_sender", {"sender_name": ""}),
    ("notification_has_writer", {"written_by_name": ""}),
    ("notification_status_known", {"status": "lost"}),
    ("notification_audience_known", {"audience": "all"}),
    ("notification_options_of_channel", {"message_options": "{}"}),
    ("notification_options_of_channel", {"channel": "letter"}),
    ("notification_amends_another", {"channel": "recall"}),
    ("notification_amends_another", {"channel": "correction"}),
    ("notification_sent_has_time", {"status": "sending", "sent_at": None}),
    ("notification_sent_has_time", {"status": "completed", "sent_at": None}),
    ("notification_not_sent_has_no_time", {"sent_at": MOMENT}),
    ("notification_ended_has_time", {"status": "completed", "finished_at": None}),
    ("notification_ended_has_time", {"status": "cancelled", "finished_at": None}),
    ("notification_ended_has_time", {"status": "sending", "finished_at": MOMENT}),
    ("notification_paused_has_reason", {"status": "paused", "paused_reason": ""}),
    ("notification_paused_has_reason", {"paused_reason": "person"}),
    ("notification_paused_reason_known", {"status": "paused", "paused_reason": "x"}),
    ("notification_pause_ends_whole", {"status": "sending", "paused_by": "lin.mei"}),
    ("notification_pause_ends_whole", {"status": "sending", "paused_code": 70009}),
    ("notification_pause_ends_whole", {"status": "sending", "paused_note": "date"}),
    ("notification_scheduled_has_time", {"status": "scheduled", "scheduled_for": None}),
    ("notification_stop_reason_known", {"status": "sending", "stop_reason": "person"}),
    ("notification_stop_reason_known", {"status": "cancelled", "stop_reason": "x"}),
]
OPTIONS = ("mention_all", "online_only", "no_unread", "no_last_message")
DELIVERY = [
    ("delivery_has_group", {"group_id": ""}),
    ("delivery_has_sender", {"sender_name": ""}),
    ("delivery_portion_from_1", {"portion": 0}),
    ("delivery_all_members_only", {"group_type": "AVChatRoom", "recipients": "anna"}),
    ("delivery_all_members_only", {"group_type": "BChatRoom", "recipients": "anna"}),
    ("delivery_group_type_known", {"group_type": "Topic"}),
    ("delivery_status_known", {"status": "lost", "finished_at": MOMENT}),
    ("delivery_ended_has_time", {"status": "accepted", "finished_at": None}),
    ("delivery_ended_has_time", {"finished_at": MOMENT}),
    ("delivery_sending_has_owner", {"status": "sending", "owner": None}),
    ("delivery_sending_has_owner", {"owner": 1}),
    ("delivery_sending_was_claimed", {"status": "sending", "claimed_at": None}),
    ("delivery_sending_was_claimed", {"status": "sending", "attempt_count": 0}),
    ("delivery_accepted_has_code_0", {"status": "accepted", "error_code": 10010}),
    ("delivery_accepted_has_code_0", {"status": "accepted", "error_code": None}),
    ("delivery_failed_has_code", {"status": "failed", "error_code": 0}),
    ("delivery_failed_has_code", {"status": "failed", "error_code": None}),
    ("delivery_cancelled_has_no_code", {"status": "cancelled", "error_code": 60007}),
    ("delivery_unconfirmed_has_reason", {"status": "unconfirmed", "reason": ""}),
    ("delivery_unconfirmed_has_reason", {"status": "unconfirmed", "reason": "dropped"}),
    ("delivery_unconfirmed_has_reason", {"reason": "no_answer"}),
    ("delivery_failed_has_code", {"status": "failed", "reason": "no_answer"}),
    ("delivery_failed_has_code", {"status": "failed", "reason": "dropped"}),
    ("delivery_failed_has_code", {"status": "failed", "reason": "not_in_history"}),
    ("delivery_failed_has_code", {"status": "failed", "reason": "in_history"}),
    ("delivery_accepted_has_code_0", {"status": "accepted", "reason": "in_history"}),
    ("delivery_accepted_has_code_0", {"status": "accepted", "reason": "dropped"}),
    ("delivery_channel_known", {"channel": "letter"}),
    ("delivery_random_of_message", {"random": 1}),
    ("delivery_answer_of_message", {"msg_seq": 1}),
    ("delivery_answer_of_message", {"msg_time": 1}),
    ("delivery_answer_of_message", {"drop_reason": "x"}),
    ("delivery_amends_another", {"amended_delivery": 1}),
    ("delivery_query_of_unconfirmed", {"next_query_at": MOMENT}),
    (
        "delivery_query_of_unconfirmed",
        {"status": "unconfirmed", "next_query_at": MOMENT},
    ),
    ("delivery_altered_in_history", {"is_altered": True}),
    *((f"delivery_{option}", {option: True}) for option in OPTIONS),
    ("delivery_outcome_has_attempt", {"status": "accepted", "attempt_count": 0}),
    ("delivery_outcome_has_attempt", {"status": "failed", "attempt_count": 0}),
    ("delivery_failed_has_code", {"status": "failed", "reason": "gone"}),
    ("delivery_accepted_has_code_0", {"status": "accepted", "reason": "taken_back"}),
    ("delivery_outcome_has_attempt", {"status": "unconfirmed", "attempt_count": 0}),
]
MESSAGE = [
    ("delivery_message_of_type", {"group_type": "BChatRoom"}),
    ("delivery_message_recipients", {"group_type": "Community", "recipients": "anna"}),
    ("delivery_mention_all", {"group_type": "AVChatRoom", "mention_all": True}),
    ("delivery_online_only", {"group_type": "AVChatRoom", "online_only": True}),
    ("delivery_no_unread", {"group_type": "ChatRoom", "no_unread": True}),
    ("delivery_no_last_message", {"group_type": "AVChatRoom", "no_last_message": True}),
    ("delivery_message_has_random", {"attempt_count": 1, "random": None}),
    ("delivery_random_of_message", {"random": 0}),
    ("delivery_random_of_message", {"random": 2**32}),
    ("delivery_query_of_unconfirmed", {"status": "failed", "next_query_at": MOMENT}),
    ("delivery_altered_in_history", {"status": "accepted", "is_altered": True}),
]
RECALL = [
    ("delivery_amends_another", {"amended_delivery": None}),
    ("delivery_amends_another", {"recipients": "anna"}),
    ("delivery_amendment_has_message", {"status": "accepted", "msg_seq": None}),
    ("delivery_amendment_has_message", {"status": "sending", "msg_seq": None}),
    ("delivery_random_of_message", {"random": 1}),
    ("delivery_answer_of_message", {"msg_time": 1}),
    ("delivery_answer_of_message", {"drop_reason": "x"}),
    ("delivery_query_of_unconfirmed", {"next_query_at": MOMENT}),
    *((f"delivery_{option}", {option: True}) for option in OPTIONS),
    ("delivery_outcome_has_attempt", {"status": "failed", "attempt_count": 0}),
    *(
        ("delivery_failed_has_code", {"status": "failed", "reason": reason})
        for reason in ("still_there", "gone", "taken_back", "recalled_before")
    ),
    (
        "delivery_accepted_has_code_0",
        {"status": "accepted", "reason": "recalled_before"},
    ),
    (
        "delivery_accepted_has_code_0",
        {"status": "accepted", "reason": "still_there", "error_code": None},
    ),
    ("delivery_unconfirmed_has_reason", {"status": "unconfirmed", "reason": "gone"}),
]
AMENDMENT = [
    ("notification_amends_another", {"amends": None}),
    ("notification_options_of_channel", {"message_options": "{}"}),
]
ATTEMPT = [
    ("attempt_number_from_1", {"number": 0}),
    ("attempt_ends_after_start", {"finished_at": MOMENT - timedelta(milliseconds=1)}),
    ("attempt_outcome_known", {"outcome": "lost", "reason": "no_answer"}),
    ("attempt_accepted_is_a_verdict", {"error_code": 10010}),
    ("attempt_accepted_is_a_verdict", {"http_status": 502}),
    ("attempt_accepted_is_a_verdict", {"error_code": None}),
    ("attempt_accepted_is_a_verdict", {"http_status": None}),
    ("attempt_rejected_is_a_verdict", {"outcome": "rejected", "error_code": None}),
    ("attempt_rejected_is_a_verdict", {"outcome": "rejected", "http_status": None}),
    ("attempt_rejected_is_a_verdict", {"outcome": "rejected", "error_code": 0}),
    ("attempt_rejected_is_a_verdict", {"outcome": "rejected", "http_status": 500}),
    ("attempt_accepted_is_a_verdict", {"drop_reason": "too many"}),
    ("attempt_message_only_of_a_verdict", {"outcome": "unconfirmed", "msg_seq": 1}),
    ("attempt_message_only_of_a_verdict", {"outcome": "not_sent", "msg_time": 1}),
    ("attempt_message_only_of_a_verdict", {"outcome": "not_sent", "drop_reason": "x"}),
    ("attempt_code_only_of_a_verdict", {"outcome": "unconfirmed", "error_code": 0}),
    ("attempt_code_only_of_a_verdict", {"outcome": "not_sent", "error_code": 10002}),
    ("attempt_reason_unless_verdict", {"outcome": "unconfirmed", "reason": ""}),
    ("attempt_reason_unless_verdict", {"reason": "no_answer"}),
    ("attempt_unsent_has_no_answer", {"outcome": "not_sent", "http_status": 200}),
    ("attempt_unsent_has_no_answer", {"outcome": "worker_lost", "http_status": 200}),
]
QUERY = [
    ("query_number_from_1", {"number": 0}),
    ("query_ends_after_start", {"finished_at": MOMENT}),
    ("query_kind_known", {"kind": "guess"}),
    ("query_verdict_known", {"verdict": "maybe"}),
    ("query_repeat_proves_no_absence", {"kind": "repeat", "verdict": "absent"}),
]
CAPABILITY = [("capability_answer_known", {"answer": "maybe"})]
GROUP = [
    ("chat_group_has_id", {"group_id": ""}),
    ("chat_group_has_name", {"name": ""}),
    ("chat_group_has_type", {"type": ""}),
    ("chat_group_state_known", {"state": "gone"}),
]
SEAL = [
    ("seal_names_what_it_seals", {"kind": "notification"}),
    ("seal_names_what_it_seals", {"first_entry": None}),
    ("seal_names_what_it_seals", {"last_entry": None}),
    ("seal_names_what_it_seals", {"last_entry": 0}),
    ("seal_names_what_it_seals", {"kind": "archive"}),
    ("seal_names_what_it_seals", {"kind": "whole"}),
    ("seal_follows_another", {"previous": "ab"}),
    ("seal_follows_another", {"number": 2}),
    ("seal_has_digest", {"digest": ""}),
    ("seal_has_digest", {"head": ""}),
]
TALLY = [
    ("tally_counts_some", {"count": 0}),
    ("tally_in_order", {"first_delivery": 3, "last_delivery": 2}),
]
DRAFT_VERSION = [
    ("draft_version_from_1", {"number": 0}),
    ("draft_version_has_author", {"author": ""}),
    ("draft_version_has_content", {"content": ""}),
    ("draft_version_audience_known", {"audience": "all"}),
]
PACE = [
    ("pace_has_name", {"name": ""}),
    ("pace_not_negative", {"next_slot": -1}),
    ("pace_not_negative", {"slow_until": -0.5}),
]
OTHERS = [
    (
        Worker.objects.create,
        "worker_has_name",
        {"name": "", "boot_id": "b", "lease": 0, "heartbeat_at": MOMENT},
    ),
    (
        TaskDeaths.objects.create,
        "task_deaths_have_task",
        {"task": "", "last_at": MOMENT},
    ),
    (
        AuditEntry.objects.create,
        "audit_has_action",
        {"action": "", "actor": "lin.mei"},
    ),
    (AuditEntry.objects.create, "audit_has_actor", {"action": "sent", "actor": ""}),
    (SavedAudience.objects.create, "audience_has_name", {"name": ""}),
    (Label.objects.create, "label_has_name", {"name": ""}),
    (SendingSwitch.objects.create, "sending_switch_only_one", {"pk": 2}),
]
SYNC = [
    ("group_sync_ended_has_time", {"status": "completed"}),
    ("group_sync_ended_has_time", {"finished_at": MOMENT}),
    ("group_sync_ended_has_time", {"status": "lost"}),
]
APPROVAL = [
    ("approval_is_decided", {"status": "cancelled"}),
    ("approval_is_decided", {"status": "unknown", "decided_at": MOMENT}),
    ("approval_is_decided", {"decided_at": MOMENT}),
    ("approval_by_another", {"status": "approved", "decided_at": MOMENT}),
]


def make_message(**values) -> None:
    notification = make_notification(status="sending", channel="group_message")
    make_delivery(notification, **values)


def make_recall(**values) -> None:
    original = make_notification(status="completed", channel="group_message")
    amended = make_delivery(original, status="accepted", msg_seq=1)
    make_amending(make_amendment(original), amended, **values)


def make_recall_of_another(**values) -> None:
    original = make_notification(status="completed", channel="group_message")
    make_amendment(original, **values)


def make_query_of_message(**values) -> None:
    make_query(make_delivery(status="unconfirmed"), **values)


def make_capability(**values) -> None:
    valid = {"sdk_app_id": 1, "name": "history", "answer": "yes", "probed_at": MOMENT}
    Capability.objects.create(**valid | values)


def make_pace(**values) -> None:
    Pace.objects.create(**{"name": "app", "boot_id": "b"} | values)


def make_seal(**values) -> None:
    valid = {
        "number": 1,
        "kind": "actions",
        "first_entry": 1,
        "last_entry": 1,
        "rows": 0,
        "digest": "ab",
        "leaves": b"",
        "head": "cd",
    }
    Seal.objects.create(**valid | values)


def make_tally(**values) -> None:
    valid = {
        "notification": make_notification(status="completed"),
        "sender_name": "lin.mei",
        "created_at": MOMENT,
        "group_type": "Public",
        "status": "accepted",
        "error_code": 0,
        "count": 1,
        "first_delivery": 1,
        "last_delivery": 1,
    }
    Tally.objects.create(**valid | values)


def make_sync(**values) -> None:
    GroupSync.objects.create(requested_by="lin.mei", **values)


def make_approval(**values) -> None:
    values = {"kind": "factor_reset", "object_number": 1, "subject": "x"} | values
    Approval.objects.create(requested_by=make_user(), **values)


FACTORIES = [
    (make_notification, NOTIFICATION),
    (make_delivery, DELIVERY),
    (make_message, MESSAGE),
    (make_recall, RECALL),
    (make_recall_of_another, AMENDMENT),
    (make_attempt, ATTEMPT),
    (make_query_of_message, QUERY),
    (make_capability, CAPABILITY),
    (make_group, GROUP),
    (make_pace, PACE),
    (make_seal, SEAL),
    (make_tally, TALLY),
    (make_draft_version, DRAFT_VERSION),
    (make_sync, SYNC),
    (make_approval, APPROVAL),
]
CASES = [*OTHERS, *((make, *row) for make, rows in FACTORIES for row in rows)]
# Of the two constraints that such a row violates, each database names another.
NAMES = {"seal_number_from_1", *(name for _make, name, _values in CASES)}


def refused_by(constraint: str, make, /, **values) -> None:
    message = rf"\b{constraint}\b"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        make(**values)


@pytest.mark.parametrize(("make", "name", "values"), CASES)
def test_a_row_that_violates_a_constraint(make, name, values):
    refused_by(name, make, **values)


def test_there_is_no_seal_before_the_first():
    refused_by("(seal_number_from_1|seal_follows_another)", make_seal, number=0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda: make_group(group_id="g"), lambda _row: make_group(group_id="g")),
        (
            lambda: make_notification(status="sending"),
            lambda row: make_notification(status="sending", token=row.token),
        ),
        (
            make_delivery,
            lambda row: make_delivery(
                row.notification, ChatGroup.objects.get(group_id=row.group_id)
            ),
        ),
        (make_attempt, lambda row: make_attempt(row.delivery, number=row.number)),
        (
            lambda: make_query(make_delivery(status="unconfirmed")),
            lambda row: make_query(row.delivery, number=row.number),
        ),
        (
            lambda: make_delivery(
                make_notification(status="sending", channel="group_message"), random=7
            ),
            lambda row: make_delivery(row.notification, random=row.random),
        ),
        (
            lambda: Label.objects.create(name="North"),
            lambda _row: Label.objects.create(name="NORTH"),
        ),
        (
            lambda: GroupSync.objects.create(requested_by="lin.mei"),
            lambda _row: GroupSync.objects.create(requested_by="x", status="running"),
        ),
        (
            lambda: GroupSync.objects.create(requested_by="lin.mei").items.create(
                group_id="g"
            ),
            lambda row: row.sync.items.create(group_id="g"),
        ),
    ],
)
def test_a_second_row_with_unique_values(first, second):
    row = first()

    # On SQLite a guard of the record refuses first.
    refused = pytest.raises(IntegrityError, match=r"(?i)unique|exists already")
    with refused, transaction.atomic():
        second(row)


@pytest.mark.parametrize(
    ("channel", "first", "second", "is_refused"),
    [
        ("recall", "accepted", "queued", True),
        ("recall", "sending", "queued", True),
        ("recall", "failed", "queued", False),
        ("recall", "unconfirmed", "accepted", False),
        ("correction", "queued", "queued", True),
        ("correction", "accepted", "queued", False),
    ],
)
def test_a_message_is_changed_once_at_a_time(channel, first, second, is_refused):
    original = make_notification(status="completed", channel="group_message")
    amended = make_delivery(original, status="accepted", msg_seq=1)
    runs = [make_amendment(original, channel=channel) for _n in range(2)]
    make_amending(runs[0], amended, status=first)

    def make_second() -> None:
        make_amending(runs[1], amended, status=second)

    if not is_refused:
        make_second()
        return
    # On SQLite a guard of the record refuses first.
    refused = pytest.raises(IntegrityError, match=r"(?i)unique|exists already")
    with refused, transaction.atomic():
        make_second()


def test_rows_of_the_factories_are_valid():
    for status in ("queued", "sending", "accepted", "failed", "unconfirmed"):
        make_delivery(status=status)
    for outcome in ("accepted", "rejected", "not_sent", "unconfirmed", "worker_lost"):
        make_attempt(outcome=outcome)
    for status in ("draft", "sending", "paused", "completed", "cancelled"):
        make_notification(status=status)


def test_every_constraint_has_a_case():
    assert {
        constraint.name
        for model in apps.get_app_config("notifications").get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    } == NAMES


def test_the_database_has_all_constraints():
    """Migrations that rebuild a table keep them."""
    with connection.cursor() as cursor:
        constraints = {
            name
            for model in apps.get_app_config("notifications").get_models()
            for name in connection.introspection.get_constraints(
                cursor, model._meta.db_table
            )
        }

    assert constraints >= NAMES
