"""Claim due deliveries for sending, inside the worker's transaction.

A claim sets owner, attempt number and time of the row, draws the number of a message
(``Delivery.random``), and copies the name of the message that an amendment changes. It
must be committed before the first byte of the call is sent. So a row claimed by a dead
worker may have been called.

``delivery/planner.py`` decides how many deliveries of which channel are claimed.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from django.db.models import (
    Exists,
    OuterRef,
    Q,
    QuerySet,
)

from notifications import statements
from notifications.delivery import amendments
from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Channel, Message, Target
from notifications.delivery.retry import AttemptHistory
from notifications.models import Delivery, Notification, SendingSwitch
from notifications.tencent.calls.base import Call
from notifications.tencent.message_options import MessageOptions


@dataclass(frozen=True, slots=True)
class Claim:
    """One call to make: a request for the HTTP threads.

    ``history`` summarizes earlier attempts; it does not change during the claim.
    """

    may_start_late: ClassVar[bool] = False

    delivery_id: int
    notification_id: int
    attempt: int
    channel: Channel
    message: Message
    target: Target
    slot: float  # machine time
    history: AttemptHistory

    @property
    def call(self) -> Call[Any]:
        return self.channel.call(self.message, self.target)

    @property
    def log_fields(self) -> dict[str, int]:
        """Identifies the delivery in log records."""
        return {"notification": self.notification_id, "delivery": self.delivery_id}


class _DueRow(NamedTuple):
    """The columns of a delivery for its claim."""

    pk: int
    notification_id: int
    attempt_count: int
    group_id: str
    group_type: str
    recipients: str
    random: int | None
    amended_delivery: int | None
    rejection_count: int
    not_sent_streak: int
    error_code: int | None


_DUE_COLUMNS = ["id", *_DueRow._fields[1:]]


class Running(NamedTuple):
    """The columns of a notification for its claims: the audience may take megabytes."""

    pk: int
    channel: str
    content: str
    message_options: str

    @property
    def message(self) -> Message:
        options = MessageOptions.from_json(json.loads(self.message_options or "{}"))
        return Message(self.content, options)


def _unstoppable() -> list[str]:
    """The channels that do not obey the switch."""
    return [str(word) for word, one in CHANNELS.items() if not one.obeys_switch]


def not_stopped() -> QuerySet[Notification]:
    """Return notifications with the status *sending*.

    While all sending is stopped, only those that do not obey the switch.
    """
    switched_off = SendingSwitch.objects.filter(is_off=True)
    return Notification.objects.filter(
        ~Exists(switched_off) | Q(channel__in=_unstoppable()),
        status=Notification.Status.SENDING,
    )


def running_notifications(now: datetime) -> QuerySet[Notification]:
    """Return notifications that are being sent, without those whose time is over."""
    return not_stopped().filter(Q(not_after__isnull=True) | Q(not_after__gt=now))


def running(now: datetime) -> list[Running]:
    """Return what claims need of the notifications that are being sent."""
    columns = ["id", *Running._fields[1:]]
    return [Running(*row) for row in statements.running(now, _unstoppable(), columns)]


def channels_due(now: datetime) -> set[str]:
    """Return the channels that have a due delivery. Reads without a lock."""
    due = Delivery.objects.filter(
        notification_id=OuterRef("pk"),
        status=Delivery.Status.QUEUED,
        not_before__lte=now,
    )
    rows = running_notifications(now).filter(Exists(due)).order_by()
    return set(rows.values_list("channel", flat=True))


def claim(
    worker_id: int,
    channel: Channel,
    notifications: Sequence[Running],
    slots: Sequence[float],
    now: datetime,
    *,
    last_served: int = 0,
) -> list[Claim]:
    """Mark due deliveries as sending by ``worker_id``, at most one for each slot.

    The slots are shared among the notifications (round robin), so that a short one does
    not wait behind one to 100,000 groups. The first one is the next after
    ``last_served``, the id of a notification.
    """
    rows = _due_rows(
        sorted(notifications, key=lambda one: (one.pk <= last_served, one.pk)),
        len(slots),
        now,
    )
    # By the id of the delivery: new numbers of messages, names of amended messages.
    numbers: dict[int, int] = {}
    msg_seqs: dict[int, int] = {}
    if channel.draws_random:
        numbers = _draw_numbers([row.pk for row in rows if row.random is None])
    if channel.is_amendment:
        msg_seqs = amendments.amended_messages(
            {row.pk: row.amended_delivery or 0 for row in rows}
        )
        amendments.postpone([row.pk for row in rows if row.pk not in msg_seqs], now)
        rows = [row for row in rows if row.pk in msg_seqs]
    _mark(
        [row.pk for row in rows],
        {"random": numbers, "msg_seq": msg_seqs},
        worker_id,
        now,
    )
    messages = {one.pk: one.message for one in notifications}
    return [
        Claim(
            delivery_id=row.pk,
            notification_id=row.notification_id,
            attempt=row.attempt_count + 1,
            channel=channel,
            message=messages[row.notification_id],
            target=Target(
                row.group_id,
                row.group_type,
                row.recipients.splitlines() or None,
                numbers.get(row.pk, row.random),
                msg_seqs.get(row.pk),
            ),
            slot=slot,
            history=AttemptHistory(
                row.rejection_count, row.not_sent_streak, row.error_code
            ),
        )
        for row, slot in zip(rows, slots, strict=False)
    ]


def _due_rows(
    notifications: Sequence[Running], limit: int, now: datetime
) -> list[_DueRow]:
    """Lock at most ``limit`` due deliveries, about the same number of each."""
    rows: list[_DueRow] = []
    for index, notification in enumerate(notifications):
        # The following notifications share the slots that this one does not use.
        share = -(-(limit - len(rows)) // (len(notifications) - index))
        if not share:
            break
        due = statements.due(notification.pk, share, now, _DUE_COLUMNS)
        rows += [_DueRow(*row) for row in due]
    return rows


def _draw_numbers(ids: Sequence[int]) -> dict[int, int]:
    """Return a new number of a message for each delivery, from 1 to 2³² − 1.

    Another worker may draw the same one at this moment. The database refuses the second
    of them, and the worker repeats its tick.
    """
    numbers: set[int] = set()
    while len(numbers) < len(ids):
        numbers |= {1 + secrets.randbelow(2**32 - 1) for _n in ids}
        numbers -= statements.used_numbers(list(numbers))
    return dict(zip(ids, numbers, strict=False))


def _mark(
    ids: Sequence[int],
    numbers: Mapping[str, Mapping[int, int]],
    worker_id: int,
    now: datetime,
) -> None:
    """``numbers``: new values by column and id of the delivery."""
    if not ids:
        return
    randoms, msg_seqs = numbers["random"], numbers["msg_seq"]
    count = statements.mark(
        [(pk, randoms.get(pk), msg_seqs.get(pk)) for pk in ids], worker_id, now
    )
    if count != len(ids):
        raise RuntimeError(
            f"Worker {worker_id} locked {len(ids)} deliveries but updated {count}: "
            f"another process has changed some of them."
        )
