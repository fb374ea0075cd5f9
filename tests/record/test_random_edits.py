"""Random edits by SQL with disabled guards: each is found, and the row is named.

``COMPARED`` lists every table with content that people see and that verification
compares; ``OUTSIDE`` lists what it cannot find, as docs/auditing.md does.
"""

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Model, Q

from notifications import audit_log, permissions
from notifications.access.services import people
from notifications.access.services.people_check import people_differences
from notifications.delivery.audit_events import PAUSED
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)
from notifications.record.guards import install as guards_install
from notifications.record.trail import newest_seal_of_trail, seal_trail
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_notification,
    make_query,
    make_saved_draft,
    make_sent_entry,
    make_user,
    seal_ended,
)
from tests.record.random_edits import Edit, Table, random_edit
from tests.record.unsealed_edits import UNSEALED_EDITS

pytestmark = pytest.mark.django_db

SEED = 15
COUNT = 100
UNSEALED_SHARE = 0.25
DOCUMENT = Path(__file__).parents[2] / "docs" / "auditing.md"

UserRole = User.groups.through
RolePermission = Group.permissions.through


def sealed() -> models.QuerySet[Notification]:
    return Notification.objects.filter(seal__isnull=False)


def of_notification(row: Tally | Archive) -> list[str]:
    """A result count or an archive is named by its notification, or by its seal."""
    number = row.notification_id
    seals = Seal.objects.filter(
        Q(notification=number) | Q(archive__notification=number)
    )
    numbers = seals.values_list("number", flat=True)
    noun = row._meta.model_name
    return [
        f"notification {number}",
        f"{noun} {row.pk}",
        *(f"seal {n}" for n in numbers),
    ]


COMPARED: dict[type[Model], Table] = {
    Notification: Table(
        lambda row: [f"notification {row.pk}"],
        sealed,
        (
            "version",
            "paused_reason",
            "paused_by",
            "paused_code",
            "paused_note",
            "doubt_streak",
            "watched_since",
        ),
        weight=3,
    ),
    Delivery: Table(
        lambda row: [f"delivery {row.pk}"],
        lambda: Delivery.objects.filter(notification__in=sealed()),
        (
            "not_before",
            "not_sent_streak",
            "owner",
            "claimed_at",
            "next_query_at",
            "query_asked_by",
        ),
        weight=4,
    ),
    Attempt: Table(
        lambda row: [f"delivery {row.delivery_id}", f"attempt {row.pk}"],
        lambda: Attempt.objects.filter(delivery__notification__in=sealed()),
        ("id",),
        weight=3,
    ),
    DeliveryQuery: Table(
        lambda row: [f"delivery {row.delivery_id}", f"query {row.pk}"],
        lambda: DeliveryQuery.objects.filter(delivery__notification__in=sealed()),
        ("id",),
        weight=2,
    ),
    AuditEntry: Table(
        lambda row: [f"audit entry {row.pk}"],
        lambda: AuditEntry.objects.filter(pk__lte=newest_seal_of_trail().last_entry),
        weight=4,
    ),
    DraftVersion: Table(
        lambda row: [
            f"version {row.number} of draft {row.notification_number}",
            f"version of a draft {row.pk}",
        ],
        DraftVersion.objects.all,
        ("id",),
        weight=2,
    ),
    Seal: Table(
        lambda row: [f"seal {row.number}", f"seal {row.pk}"],
        Seal.objects.all,
        ("id",),
        weight=3,
    ),
    Tally: Table(
        of_notification,
        Tally.objects.all,
        ("id",),
        weight=2,
    ),
    Archive: Table(of_notification, Archive.objects.all, weight=2),
    User: Table(
        lambda row: [f"user {row.username}"],
        lambda: User.objects.exclude(username="outside"),
        (
            "id",
            "password",
            "last_login",
            "date_joined",
        ),
        ("change", "copy", "delete"),
        weight=2,
    ),
    UserRole: Table(
        lambda row: [f"user {row.user.username}"],
        UserRole.objects.all,
        ("id",),
        ("delete", "insert"),
    ),
    Group: Table(
        lambda row: [f"role {row.name}"],
        Group.objects.all,
        ("id",),
        ("change", "delete"),
    ),
    RolePermission: Table(
        lambda row: [f"role {row.group.name}"],
        RolePermission.objects.all,
        ("id",),
        ("delete", "insert"),
    ),
    SocialAccount: Table(
        lambda row: [f"user {row.user.username}"],
        SocialAccount.objects.all,
        (
            "id",
            "date_joined",
            "last_login",
            "extra_data",
            "provider",
        ),
        ("change", "delete"),
    ),
}

# Sentences of docs/auditing.md on what verification cannot find, and their tables.
OUTSIDE: dict[str, set[str]] = {
    "the removal of the last seals": set(),
    "a row that is not sealed yet": set(),
    "an audit entry after the last sealed one": set(),
    "full names beside the senders": set(),
    "the names and the address of the first superuser": set(),
    "passwords, second factors and sessions": {
        "LoginSession",
        "Authenticator",
        "EmailAddress",
        "EmailConfirmation",
        "AccessAttempt",
        "AccessAttemptExpiration",
        "AccessLog",
        "AccessFailureLog",
    },
    "the list of groups, labels, saved audiences, imports and syncs": {
        "ChatGroup",
        "ChatGroup_labels",
        "Label",
        "SavedAudience",
        "GroupImport",
        "GroupSync",
        "SyncItem",
        "SyncChange",
    },
    "used usernames, and requests for a second administrator": {
        "UsedUsername",
        "Approval",
    },
    "what was found out about the application": {"Capability"},
    "which drafts are being sent in several transactions": {"Preparation"},
    "the state of workers and of requests to them, of the pace and of the switch": {
        "Worker",
        "WorkerRequest",
        "Pace",
        "SendingSwitch",
        "Installation",
        "TaskDeaths",
    },
    "tables of Django and its packages without content": {
        "SocialApp",
        "SocialToken",
        "Permission",
        "ContentType",
        "LogEntry",
        "User_user_permissions",
    },
}


# --- the scene --------------------------------------------------------------------


def ended(number: int, **values: Any) -> Notification:
    row = make_notification(
        **{
            "status": "completed",
            "content": f"Notice {number} 通知",
            "note": f"CM-{number}",
        }
        | values
    )
    for status, outcome in (
        ("accepted", "accepted"),
        ("failed", "rejected"),
        ("unconfirmed", "unconfirmed"),
    ):
        delivery = make_delivery(row, status=status)
        make_attempt(delivery, outcome=outcome, worker=delivery.pk)
        if outcome == "accepted":
            make_attempt(delivery, outcome="not_sent")
    make_delivery(row, status="cancelled")
    return row


def ended_message(number: int) -> Notification:
    """A group message, with deliveries that Tencent was queried about."""
    row = ended(
        number,
        channel="group_message",
        message_options='{"from_account": "service", "push": false}',
    )
    verdicts: dict[str, dict[str, Any]] = {
        "present": {
            "status": "accepted",
            "reason": "in_history",
            "msg_seq": 418,
            "msg_time": 1_772_443_800,
            "is_altered": True,
        },
        "absent": {"status": "failed", "reason": "not_in_history"},
        "unclear": {"status": "unconfirmed"},
    }
    for verdict, values in verdicts.items():
        delivery = make_delivery(row, **{"error_code": None, "error_info": ""} | values)
        make_attempt(delivery, outcome="unconfirmed")
        for _twice in range(2):
            make_query(delivery, verdict=verdict)
    make_attempt(
        make_delivery(
            row, status="failed", error_code=0, reason="dropped", drop_reason="busy"
        ),
        outcome="rejected",
        error_code=0,
        drop_reason="busy",
    )
    return row


@pytest.fixture
def folder(tmp_path) -> Path:
    """A sealed record with rows of every kind; return the folder of the archive."""
    make_user(username="outside", superuser=True)
    add_people()
    for number in range(2):
        ended(number, recipients="amy\nli" if number else "")
    seal_ended()
    call_command(
        "archive_history", "--before", "2026-03-03", "--to", str(tmp_path), verbosity=0
    )
    first = ended(2)
    ended(3, resend_of=first, by_superuser=True)
    message = ended_message(6)
    for channel in ("recall", "correction"):
        make_ended_amendment(message, channel)
    ended(
        4,
        status="cancelled",
        stop_reason="person",
        scheduled_for=MOMENT,
        audience="rule",
        audience_values={"labels": ["x"]},
    )
    seal_ended()
    make_saved_draft(note="CM-6", recipients="amy")
    for number in range(3):
        audit_log.write(
            PAUSED,
            "lin.mei",
            notification=first.pk,
            delivery=number,
            reason="person",
            note="=1",
        )
    seal_trail()
    add_unsealed(first)
    connection.check_constraints()  # PostgreSQL then can change triggers
    return tmp_path


def add_unsealed(first: Notification) -> None:
    make_sent_entry(ended(5))
    for status in ("paused", "sending"):
        row = make_notification(
            status=status,
            resend_of=first if status == "sending" else None,
            content=first.content,
            note=first.note,
        )
        for result in ("accepted", "queued", "queued"):
            make_delivery(row, status=result)
        make_sent_entry(row)


def add_people() -> None:
    role = Group.objects.create(name="Clerk")
    role.permissions.add(*Group.objects.get(name=permissions.AUDITOR).permissions.all())
    actor = User.objects.get(username="outside")
    people.record_role(actor, role.pk, None)
    for username in ("lin.mei", "wang.fang"):
        person = make_user(
            permissions.AUDITOR,
            username=username,
            first_name="芳",
            last_name="王",
            email=f"{username}@example.com",
        )
        person.groups.add(role)
        SocialAccount.objects.create(
            user=person, provider="corp", uid=f"https://id.example.com {username}"
        )
        people.record_person(actor.username, person.pk, None)


# --- the tests --------------------------------------------------------------------


def differences(folder: Path) -> list[str]:
    return [*verify(archive=folder).differences, *people_differences()]


def edit_at_random(number: int, random: Random) -> Edit:
    """The first edits are each one of ``UNSEALED_EDITS`` and of the tables.

    The others are at random.
    """
    if number < len(UNSEALED_EDITS):
        return UNSEALED_EDITS[number](random)
    tables = [*COMPARED.items()][number - len(UNSEALED_EDITS) :][:1]
    if not tables and random.random() < UNSEALED_SHARE:
        return random.choice(UNSEALED_EDITS)(random)
    with guards_install.guards_disabled():
        return random_edit(dict(tables) or COMPARED, random)


def is_named(edit: Edit, text: str) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in edit.names)


def test_every_edit_is_found_and_named(folder):
    random = Random(SEED)
    edits, overlooked = [], []
    assert differences(folder) == []

    for number in range(COUNT + len(UNSEALED_EDITS)):
        with transaction.atomic():
            edit = edit_at_random(number, random)
            text = "\n".join(differences(folder))
            transaction.set_rollback(True)
        edits.append(edit)
        if not is_named(edit, text):
            overlooked.append((edit, text))

    assert overlooked == []
    assert {edit.model for edit in edits} >= set(COMPARED)
    # Everything was restored: the differences came from the edits.
    assert differences(folder) == []


def test_every_table_is_compared_or_documented():
    known = {model.__name__ for model in COMPARED}.union(*OUTSIDE.values())

    assert known == {
        model.__name__ for model in apps.get_models(include_auto_created=True)
    }
    text = " ".join(DOCUMENT.read_text("utf-8").split())
    assert [sentence for sentence in OUTSIDE if sentence not in text] == []
