"""Rows of every kind, for the dump of a release; ``kinds.py`` has what is missing.

Clock and random numbers are fixed: both databases get the same rows, and so the same
seals. Passwords and keys are known, so that people of a dump can log in.
"""

import itertools
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command

from notifications import audit_log
from notifications.audiences import saved
from notifications.audit_log import EVENTS, Detail, Origin
from notifications.compose.checked import checked_of
from notifications.compose.services import drafts, handover, resend
from notifications.compose.services.send import SendTimes, send
from notifications.delivery.audit_events import RULE
from notifications.groups import labels
from notifications.models import (
    AMENDING,
    AuditEntry,
    Capability,
    Channel,
    ChatGroup,
    GroupImport,
    GroupSync,
    Installation,
    Notification,
    Pace,
    Preparation,
    Rule,
    SavedAudience,
    SendingSwitch,
    SyncChange,
    SyncItem,
    TaskDeaths,
    Worker,
    WorkerRequest,
)
from notifications.models.groups import GroupType
from notifications.record.trail import seal_trail
from notifications.system.audit_events import CONNECTION_CHECKED
from notifications.system.connection import CheckStep, StepResult, StepState, as_detail
from tests.factories import (
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
from tests.releases.people import AT, add_people

SECRET_KEY = "only-for-the-dumps-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDE"
START = AT + timedelta(days=1)  # of the scheduled notification


@contextmanager
def nothing_by_chance() -> Iterator[None]:
    """Fix the clock and the random numbers."""
    numbers = random.Random(1)
    with (
        time_machine.travel(AT, tick=False),
        mock.patch("os.urandom", numbers.randbytes),
        mock.patch("random._urandom", numbers.randbytes),
    ):
        yield


def fill(folder: Path) -> None:
    """Fill an empty database; archive files go to ``folder``."""
    admin = make_user(username="admin", superuser=True)
    source = Origin(lambda: admin, "203.0.113.7", uuid.uuid4())
    with audit_log.origin(source):
        add_people(admin)
        groups = _add_groups(admin)
        _add_engine()
        _add_history(folder, groups)
        _add_waiting(groups)
        _add_other_entries()
        seal_ended()
        seal_trail()
        # Its entry has the duration.
        with mock.patch("time.monotonic", return_value=0.0):
            call_command("verify_history", "--archive", str(folder), stdout=StringIO())


def _add_groups(admin: User) -> list[ChatGroup]:
    """Groups in all states; returns one in use of each type."""
    for number, kind in enumerate(GroupType.values):
        for state in ChatGroup.State.values:
            ChatGroup.objects.create(
                group_id=f"@TGS#{kind}-{state}",
                name=f"广场 Plaza {number} {state}",
                former_names="Market\nSquare" if number == 1 else "",
                type=kind,
                member_count=100 * number,
                state=state,
                checked_at=AT,
            )
    in_use = ChatGroup.objects.filter(state=ChatGroup.State.IN_USE).order_by("pk")
    labels.add_labels(admin, in_use, ["North", "校区"])
    for name, rule in (
        ("Large", Rule(types=("Public",), min_members=1)),
        (
            "北区",
            Rule(
                labels=("North",),
                name_contains="Plaza",
                exceptions=("@TGS#Public-in_use",),
            ),
        ),
    ):
        saved.save(admin, name, rule)
    saved.delete(admin, SavedAudience.objects.get(name="北区").pk)
    GroupImport.objects.create(
        owner=admin, file_name="群组.csv", content=b"group_id,type,name\n"
    )
    runs = [
        GroupSync.objects.create(
            requested_by="admin" if status == "failed" else GroupSync.SCHEDULE,
            status=status,
            started_at=None if status == "waiting" else AT,
            finished_at=None if status == "waiting" else AT,
            error_code=70009 if status == "failed" else None,
            error_info="usersig check failed" if status == "failed" else "",
        )
        for status in ("completed", "failed", "cancelled", "waiting")
    ]
    for kind in SyncChange.Kind.values:
        SyncChange.objects.create(
            sync=runs[0],
            kind=kind,
            group_id=f"@TGS#{kind}",
            name="Plaza",
            before={"name": "Market"},
            after={"name": "Plaza"},
        )
    SyncItem.objects.create(sync=runs[-1], group_id="@TGS#Public-in_use")
    return list(in_use)


def _add_engine() -> None:
    Installation.present()
    SendingSwitch.objects.create(changed_by="admin", changed_at=AT)
    worker = {"boot_id": "another boot", "lease": 1.0, "heartbeat_at": AT}
    Worker.objects.create(name="host:1", ended_at=AT, **worker)
    TaskDeaths.objects.create(task="sync", count=2, last_at=AT, last_error="OSError")
    for answer in Capability.Answer.values:
        Capability.objects.create(
            sdk_app_id=1400000000,
            name=f"capability {answer}",
            answer=answer,
            group_id="@TGS#Public-in_use",
            probed_by="admin",
            probed_at=AT,
        )
    Pace.objects.create(name="past", boot_id="another boot", next_slot=1, claimed=42)
    for person in User.objects.filter(username__in=["admin", "lin.mei"]):
        for kind, answer in (
            ("connection", {"results": []}),
            *(("members", None), ("probe", None), ("sender", None)),
        ):
            WorkerRequest.objects.create(
                kind=kind, requested_by=person, parameters={"a": ["b"]}, answer=answer
            )


def _ended(groups: list[ChatGroup], number: int, **values: Any) -> Notification:
    """An ended notification with deliveries and attempts of every kind."""
    row = make_notification(
        **{
            "status": "completed",
            "content": f"Notice {number} 通知",
            "note": f"CM-{number}",
        }
        | values
    )
    outcomes = {
        "accepted": ["rejected", "not_sent", "accepted"],
        "failed": ["rejected"],
        "unconfirmed": ["unconfirmed"],
        "cancelled": [],
    }
    kinds = itertools.cycle([*outcomes, "accepted"])
    for group, status in zip(groups, kinds, strict=False):
        delivery = make_delivery(row, group, status=status)
        for outcome in outcomes[status]:
            make_attempt(delivery, outcome=outcome)
    lost = {"status": "unconfirmed", "reason": "worker_lost", "portion": 2}
    make_attempt(make_delivery(row, groups[0], **lost), outcome="worker_lost")
    return row


def _ended_message(groups: list[ChatGroup]) -> Notification:
    """A group message, with deliveries of every result and every kind of query."""
    options = '{"from_account": "service", "mention_all": true}'
    row = make_notification(
        status="completed",
        content="Notice 8 通知",
        channel=Channel.GROUP_MESSAGE,
        message_options=options,
    )
    group = next(group for group in groups if group.type == "Public")
    unconfirmed = [
        ("accepted", "in_history", "history", ["absent", "present"]),
        ("failed", "not_in_history", "history", ["absent", "absent"]),
        ("accepted", "repeated", "repeat", ["present"]),
        ("unconfirmed", "no_answer", "history", ["unclear", "no_answer"]),
    ]
    for portion, (status, reason, kind, verdicts) in enumerate(unconfirmed, start=1):
        values = {
            "reason": reason,
            "error_code": None,
            "error_info": "",
            "random": 1000 + portion,
        }
        if reason == "in_history":
            values |= {"msg_seq": 418, "msg_time": 1_772_443_800, "is_altered": True}
        delivery = make_delivery(row, group, status=status, portion=portion, **values)
        make_attempt(delivery, outcome="unconfirmed")
        for verdict in verdicts:
            make_query(delivery, kind=kind, verdict=verdict)
    answered: dict[str, Any] = {"msg_seq": 419, "msg_time": 1_772_443_801}
    delivery = make_delivery(
        row, group, status="accepted", portion=5, random=1005, **answered
    )
    make_attempt(delivery, **answered)
    dropped = {"error_code": 0, "error_info": "", "drop_reason": "over the limit"}
    delivery = make_delivery(
        row, group, status="failed", portion=6, random=1006, reason="dropped", **dropped
    )
    make_attempt(delivery, outcome="rejected", **dropped)
    return row


def _amended(message: Notification) -> None:
    """A recall and a correction of the accepted messages, one settled by a query."""
    for channel in AMENDING:
        run = make_ended_amendment(message, channel)
        for delivery in run.deliveries.order_by("pk"):
            make_attempt(delivery)
    unconfirmed = {
        "status": "failed",
        "reason": "still_there",
        "error_code": None,
        "error_info": "",
    }
    run = make_ended_amendment(message, Channel.CORRECTION, **unconfirmed)
    for delivery in run.deliveries.order_by("pk"):
        make_attempt(delivery, outcome="unconfirmed")
        for _twice in range(2):
            make_query(delivery, kind="state")


def _add_history(folder: Path, groups: list[ChatGroup]) -> None:
    """Sealed notifications, the first two archived, and one that is sent again."""
    for number, recipients in enumerate(["", "amy\n李雷"]):
        _ended(groups, number, recipients=recipients)
    seal_ended()
    call_command(
        "archive_history", "--before", "2026-03-03", "--to", str(folder), verbosity=0
    )
    archived = Notification.objects.earliest("pk")
    first = _ended(groups, 2)
    for number, (audience, values) in enumerate(
        [
            ("chosen", [group.group_id for group in groups]),
            ("rule", {"labels": ["North"]}),
            ("saved", ["Large"]),
            ("every", []),
        ],
        start=3,
    ):
        _ended(
            groups,
            number,
            audience=audience,
            audience_values=values,
            audience_count=len(groups),
            resend_of=archived if audience == "chosen" else None,
            by_superuser=audience == "every",
        )
    for reason in Notification.StopReason.values:
        _ended(
            groups,
            7,
            status="cancelled",
            stop_reason=reason,
            scheduled_for=AT,
            not_after=AT,
        )
    _amended(_ended_message(groups))
    seal_ended()
    kind = resend.ResendKind.UNCONFIRMED
    digest = resend.preview(first, kind).digest
    resend.send_again(
        User.objects.get(username="lin.mei"), first.pk, kind, digest=digest
    )


def _add_waiting(groups: list[ChatGroup]) -> None:
    """Drafts, and notifications that are scheduled, sending and paused."""
    manager = User.objects.get(username="lin.mei")
    colleague = User.objects.get(username="chen.jie")
    ids = [group.group_id for group in groups]
    written = [
        drafts.save_draft(manager, drafts.Draft(f"Draft 草稿 {n}", kind, values))
        for n, (kind, values) in enumerate(
            [
                ("chosen", ids),
                ("rule", {"types": ["Public"]}),
                ("saved", ["Large"]),
                ("every", []),
                ("chosen", ids[:2]),
            ]
        )
    ]
    make_saved_draft(sender=manager, channel=Channel.GROUP_MESSAGE)
    drafts.delete_draft(manager, written[1].pk, version=1)
    handover.hand_over(manager, written[2].pk, to=colleague, version=1)
    Preparation.objects.create(notification=written[3], active_at=AT)
    large = SavedAudience.objects.get(name="Large")
    saved.save(manager, "Large groups", large.rule, pk=large.pk)
    digest = checked_of(manager, written[4]).digest()
    send(manager, written[4].pk, digest=digest, when=SendTimes(START))
    sending = make_notification(status="sending", sender=manager)
    states = {"sending": {"owner": Worker.objects.get().pk}, "queued": {}}
    for group, (status, values) in zip(groups[1:], states.items(), strict=False):
        make_delivery(sending, group, status=status, **values)
    make_sent_entry(sending)
    for reason in Notification.PauseReason.values:
        paused = make_notification(
            status="paused",
            sender=manager,
            controlled_by=colleague,
            paused_reason=reason,
            paused_code=80001 if reason == "text_code" else None,
            paused_note="Wait",
        )
        make_delivery(paused, groups[1])
        make_sent_entry(paused)


def _add_other_entries() -> None:
    """An audit entry of each event that did not happen above, with all of its details."""
    results = [
        StepResult(step, StepState.PASSED, "settings_complete") for step in CheckStep
    ]
    audit_log.write(CONNECTION_CHECKED, "lin.mei", **as_detail(results))
    existing = set(AuditEntry.objects.values_list("action", flat=True)) | {"verified"}
    for event in [*EVENTS.values()]:
        details = [d for d in event.details if isinstance(d, Detail)]
        values = {d.key: {"types": ["Public"]} if d is RULE else 70009 for d in details}
        if event.word not in existing:
            audit_log.write(
                event,
                "lin.mei",
                notification=1,
                delivery=1,
                person="wang.fang",
                **values,
            )
