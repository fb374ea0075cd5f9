"""Each rule of a row: a row that breaks it is refused by the database, by its name."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint
from django.utils import timezone

from notifications.models import (
    AuditEntry,
    ChatGroup,
    ExternalIdentity,
    GroupSync,
    Label,
    Pace,
    SavedAudience,
    Seal,
    SendingSwitch,
    Tally,
    Worker,
)
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_user,
)

pytestmark = pytest.mark.django_db

NOTIFICATION = [
    ("notification_has_content", {"content": ""}),
    ("notification_has_sender", {"sender_name": ""}),
    ("notification_status_known", {"status": "lost"}),
    ("notification_audience_known", {"audience": "all"}),
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
    ("delivery_unconfirmed_has_reason", {"status": "failed", "reason": "no_answer"}),
    ("delivery_outcome_has_attempt", {"status": "accepted", "attempt_count": 0}),
    ("delivery_outcome_has_attempt", {"status": "failed", "attempt_count": 0}),
    ("delivery_outcome_has_attempt", {"status": "unconfirmed", "attempt_count": 0}),
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
    ("attempt_code_only_of_a_verdict", {"outcome": "unconfirmed", "error_code": 0}),
    ("attempt_code_only_of_a_verdict", {"outcome": "not_sent", "error_code": 10002}),
    ("attempt_reason_unless_verdict", {"outcome": "unconfirmed", "reason": ""}),
    ("attempt_reason_unless_verdict", {"reason": "no_answer"}),
    ("attempt_unsent_has_no_answer", {"outcome": "not_sent", "http_status": 200}),
    ("attempt_unsent_has_no_answer", {"outcome": "worker_lost", "http_status": 200}),
]
GROUP = [
    ("chat_group_has_id", {"group_id": ""}),
    ("chat_group_has_name", {"name": ""}),
    ("chat_group_has_type", {"type": ""}),
    ("chat_group_state_known", {"state": "gone"}),
]
SEAL = [
    ("seal_names_what_it_seals", {"kind": "notification"}),
    ("seal_names_what_it_seals", {"since": None}),
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
PACE = [
    ("pace_has_name", {"name": ""}),
    ("pace_not_negative", {"next_slot": -1}),
    ("pace_not_negative", {"slow_until": -0.5}),
]
ALL = [*NOTIFICATION, *DELIVERY, *ATTEMPT, *GROUP, *PACE, *SEAL, *TALLY]
OTHERS = [
    "seal_number_from_1",
    "worker_has_name",
    "audit_has_action",
    "audit_has_actor",
    "audience_has_name",
    "group_sync_ended_has_time",
    "label_has_name",
    "outside_login_complete",
    "recovery_code_has_digest",
    "sending_switch_only_one",
]


def refused_by(rule: str, make, /, **values) -> None:
    with pytest.raises(IntegrityError, match=rf"\b{rule}\b"), transaction.atomic():
        make(**values)


@pytest.mark.parametrize(("name", "values"), NOTIFICATION)
def test_notification(name, values):
    refused_by(name, make_notification, **values)


@pytest.mark.parametrize(("name", "values"), DELIVERY)
def test_delivery(name, values):
    refused_by(name, make_delivery, **values)


@pytest.mark.parametrize(("name", "values"), ATTEMPT)
def test_attempt(name, values):
    refused_by(name, make_attempt, **values)


@pytest.mark.parametrize(("name", "values"), GROUP)
def test_chat_group(name, values):
    refused_by(name, make_group, **values)


@pytest.mark.parametrize(("name", "values"), PACE)
def test_pace(name, values):
    refused_by(name, Pace.objects.create, **{"name": "app", "boot_id": "b"} | values)


RIGHT_SEAL = {
    "number": 1,
    "kind": "actions",
    "since": MOMENT,
    "until": MOMENT,
    "rows": 0,
    "digest": "ab",
    "leaves": b"",
    "head": "cd",
}


@pytest.mark.parametrize(("name", "values"), SEAL)
def test_seal(name, values):
    refused_by(name, Seal.objects.create, **RIGHT_SEAL | values)


def test_there_is_no_seal_before_the_first():
    """It breaks two rules, of which each database names another."""
    either = "(seal_number_from_1|seal_follows_another)"
    refused_by(either, Seal.objects.create, **RIGHT_SEAL | {"number": 0})


@pytest.mark.parametrize(("name", "values"), TALLY)
def test_tally(name, values):
    right = {
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
    refused_by(name, Tally.objects.create, **right | values)


def test_worker():
    refused_by(
        "worker_has_name",
        Worker.objects.create,
        name="",
        boot_id="b",
        lease=0,
        heartbeat_at=timezone.now(),
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("audit_has_action", {"action": "", "actor": "lin.mei"}),
        ("audit_has_actor", {"action": "sent", "actor": ""}),
    ],
)
def test_audit_entry(name, values):
    refused_by(name, AuditEntry.objects.create, **values)


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
def test_once(first, second):
    row = first()

    # On SQLite a guard of the record is asked first.
    refused = pytest.raises(IntegrityError, match=r"(?i)unique|exists already")
    with refused, transaction.atomic():
        second(row)


def test_a_second_switch():
    refused_by("sending_switch_only_one", SendingSwitch.objects.create, pk=2)


def test_what_the_factories_make_breaks_no_rule():
    for status in ("queued", "sending", "accepted", "failed", "unconfirmed"):
        make_delivery(status=status)
    for outcome in ("accepted", "rejected", "not_sent", "unconfirmed", "worker_lost"):
        make_attempt(outcome=outcome)
    for status in ("draft", "sending", "paused", "completed", "cancelled"):
        make_notification(status=status)


def test_every_constraint_has_its_row_that_breaks_it():
    named = {
        constraint.name
        for model in apps.get_app_config("notifications").get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    }

    assert named == {name for name, _values in ALL} | set(OTHERS)


def test_the_database_has_them_all():
    """A migration that rebuilds a table has lost none."""
    with connection.cursor() as cursor:
        found = {
            name
            for model in apps.get_app_config("notifications").get_models()
            for name in connection.introspection.get_constraints(
                cursor, model._meta.db_table
            )
        }

    assert {name for name, _values in ALL} | set(OTHERS) <= found


def test_audience():
    refused_by("audience_has_name", SavedAudience.objects.create, name="")


def test_label():
    refused_by("label_has_name", Label.objects.create, name="")


@pytest.mark.parametrize(
    "values",
    [{"status": "completed"}, {"finished_at": MOMENT}, {"status": "lost"}],
)
def test_group_sync(values):
    values = {"requested_by": "lin.mei"} | values

    refused_by("group_sync_ended_has_time", GroupSync.objects.create, **values)


def test_recovery_code():
    refused_by("recovery_code_has_digest", make_user().recovery_codes.create, digest="")


def test_login_from_outside():
    for values in (
        {"issuer": "", "subject": "248289761001"},
        {"issuer": "https://id.example.com", "subject": ""},
    ):
        refused_by(
            "outside_login_complete",
            ExternalIdentity.objects.create,
            user=make_user(username=values["subject"] or "b"),
            **values,
        )
