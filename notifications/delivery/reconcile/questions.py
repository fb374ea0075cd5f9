"""The deliveries that are due for a query, and what is asked about each."""

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Aggregate, Count, Manager, Min, Q

from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Change, Channel, Message, Target
from notifications.delivery.reconcile.history import (
    CLOCK_MARGIN,
    Finding,
    HistoryCall,
    Searched,
    judge,
    judge_state,
    next_number,
)
from notifications.models import (
    Attempt,
    Delivery,
    DeliveryQuery,
    Notification,
)
from notifications.models.deliveries import DeliveryQuerySet
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.group_msg_get_simple import (
    GroupMsgGetSimple,
    HistoryPage,
)

logger = logging.getLogger(__name__)

# Tencent drops a repeat within 5 minutes of the first call; a minute less for clocks
# and queues on the way.
REPEAT_WINDOW = timedelta(seconds=240)

Kind = DeliveryQuery.Kind


@dataclass(slots=True)
class Question:
    """One query while it is under way: for the history, page by page.

    ``number`` is that of its row. ``planned_at`` and ``asked_by`` are those of the
    delivery at the start. ``call`` is the one that sent the delivery. ``random`` and
    ``account`` are those of the message, which a recall or a correction (``change``) finds
    by its ``msg_seq``.
    """

    delivery_id: int
    notification_id: int
    number: int
    kind: Kind
    planned_at: datetime
    asked_by: str
    group_id: str
    random: int | None
    account: str
    first_call_at: datetime
    channel: Channel
    call: Call[Any] = field(repr=False)
    msg_seq: int | None = None
    change: Change | None = None
    started_at: datetime | None = None
    requests: list[object] = field(default_factory=list, repr=False)
    answers: list[object] = field(default_factory=list, repr=False)
    pages: list[HistoryPage] = field(default_factory=list, repr=False)
    # How far Tencent's clock is behind that of this machine, in seconds, once it is known.
    clock_behind: float | None = None
    failures: int = 0  # of the present page
    due: float = 0.0  # machine time of the next try

    @property
    def searched(self) -> Searched:
        """Without Tencent's time, no message is known to be older than the first call."""
        since = -math.inf
        if self.clock_behind is not None:
            since = self.first_call_at.timestamp() - self.clock_behind - CLOCK_MARGIN
        return Searched(self.random, self.account, since, self.msg_seq)

    @property
    def command(self) -> str:
        """The call whose pace it keeps."""
        is_repeat = self.kind is Kind.REPEAT
        return self.call.COMMAND if is_repeat else GroupMsgGetSimple.COMMAND

    @property
    def repeat_until(self) -> datetime:
        return self.first_call_at + REPEAT_WINDOW

    @property
    def log_fields(self) -> dict[str, int]:
        """Identifies the delivery in log records."""
        return {"notification": self.notification_id, "delivery": self.delivery_id}

    def request(self) -> "HistoryRequest | RepeatRequest":
        """The next call."""
        if self.kind is Kind.REPEAT:
            return RepeatRequest(self, self.call)
        if self.kind is Kind.STATE:
            one = HistoryCall(self.group_id, number=1, newest_seq=self.msg_seq)
            return HistoryRequest(self, one)
        newest = next_number(self.pages)
        return HistoryRequest(self, HistoryCall(self.group_id, newest_seq=newest))

    def judge(self) -> Finding | None:
        """The verdict of the pages read so far, or ``None`` to read the next page."""
        change = self.change
        if change is None:
            return judge(self.searched, self.pages)
        return judge_state(
            self.searched,
            self.pages[-1],
            lambda message: self.channel.state(change, message),
        )


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """A page of the history, for the HTTP threads."""

    may_start_late: ClassVar[bool] = True  # it only reads

    question: Question
    call: Call[Any]


@dataclass(frozen=True, slots=True)
class RepeatRequest:
    """The call that sent the delivery, once more: never after its window."""

    may_start_late: ClassVar[bool] = False

    question: Question
    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Due:
    """``closed``: deliveries about which Tencent cannot be queried any more."""

    questions: Sequence[Question]
    closed: Sequence[int]


def open_queries() -> DeliveryQuerySet:
    """Deliveries about which Tencent will be queried."""
    return Delivery.objects.filter(next_query_at__isnull=False)


def can_be_asked_now(now: datetime) -> Q:
    """The next query is planned for later, and Tencent need not be given time any more.

    Of a call that has just ended, Tencent may still be storing the message.
    """
    last_end = now - timedelta(seconds=settings.IM_QUERY_AFTER_SECONDS)
    return Q(next_query_at__gt=now, finished_at__lte=last_end)


def due(
    now: datetime,
    limit: int,
    administrator: str,
    *,
    without: Collection[int] = (),
    application_since: datetime | None = None,
) -> Due:
    """At most ``limit`` deliveries, the longest due first; ``without`` these.

    ``administrator`` sends the messages without a ``from_account``. Calls before
    ``application_since`` were made to another application. Three queries, and three if
    a recall or a correction is among the deliveries.
    """
    rows = list(
        open_queries()
        .filter(next_query_at__lte=now)
        .exclude(pk__in=without)
        .order_by("next_query_at", "pk")
        .select_related("notification")[:limit]
    )
    if not rows:
        return Due([], [])
    ids = [row.pk for row in rows]
    first_calls = _by_delivery(Attempt.objects, ids, Min("started_at"))
    counts = _by_delivery(DeliveryQuery.objects, ids, Count("pk"))
    amended = _amended_messages(rows)
    questions: list[Question] = []
    closed: list[int] = []
    history_kept = timedelta(days=settings.IM_HISTORY_DAYS)
    for row in rows:
        question = _question(
            row,
            amended.get(row.pk),
            first_calls.get(row.pk),
            counts.get(row.pk, 0) + 1,
            administrator,
        )
        if question is None or now - question.first_call_at > history_kept:
            closed.append(row.pk)
        elif application_since and question.first_call_at < application_since:
            logger.warning(
                "Tencent is not queried: the settings name another application now.",
                extra=question.log_fields,
            )
            closed.append(row.pk)
        else:
            questions.append(question)
    return Due(questions, closed)


def _by_delivery(
    rows: Manager[Any], ids: Sequence[int], value: Aggregate
) -> dict[int, Any]:
    of_deliveries = rows.filter(delivery__in=ids).order_by()
    return dict(of_deliveries.values_list("delivery").annotate(value))


@dataclass(frozen=True, slots=True)
class _Amended:
    """The message that a row changes; ``random`` is not known of an archived one."""

    random: int | None
    account: str
    texts: Sequence[str]


def _amended_messages(rows: Sequence[Delivery]) -> dict[int, _Amended]:
    """By the id of the row. Its notification is loaded."""
    amending = [row for row in rows if row.amended_delivery is not None]
    if not amending:
        return {}
    numbers = {row.notification.amends_id for row in amending}
    # Without the audience, which may take megabytes.
    columns = Notification.objects.only("content", "message_options")
    originals = columns.in_bulk([number for number in numbers if number])
    randoms = dict(
        Delivery.objects.filter(
            pk__in=[row.amended_delivery for row in amending]
        ).values_list("pk", "random")
    )
    earlier = list(
        Notification.objects.filter(amends__in=numbers)
        .order_by("pk")
        .values_list("pk", "channel", "amends", "content")
    )
    amended = {}
    for row in amending:
        own = row.notification
        original = originals[own.amends_id or 0]
        texts = [original.content] + [
            content
            for pk, word, number, content in earlier
            if number == own.amends_id and word == row.channel and pk < own.pk
        ]
        amended[row.pk] = _Amended(
            randoms.get(row.amended_delivery or 0),
            original.options.from_account,
            texts,
        )
    return amended


def _question(
    row: Delivery,
    amended: _Amended | None,
    first_call_at: datetime | None,
    number: int,
    administrator: str,
) -> Question | None:
    """``None`` if Tencent cannot be queried about this delivery."""
    try:
        channel = CHANNELS[row.channel]
        message, target = Message.of(row.notification), Target.of(row)
        kind = channel.query_kind(message, target)
        call = channel.call(message, target)
    except ValueError:
        logger.exception("This delivery cannot be queried.", extra={"delivery": row.pk})
        return None
    if kind is None or row.next_query_at is None:
        return None
    sender = message.options.from_account
    random = row.random
    change = None
    if amended is not None:
        sender, random = amended.account, amended.random
        change = Change(message.content, amended.texts, row.error_code)
    elif random is None:
        return None
    return Question(
        delivery_id=row.pk,
        notification_id=row.notification_id,
        number=number,
        kind=kind,
        planned_at=row.next_query_at,
        asked_by=row.query_asked_by,
        group_id=row.group_id,
        random=random,
        account=sender or administrator,
        first_call_at=first_call_at or row.finished_at or row.created_at,
        channel=channel,
        call=call,
        msg_seq=row.msg_seq if change else None,
        change=change,
    )
