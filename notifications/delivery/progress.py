"""Progress of a notification: results so far, and why deliveries are queued."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db.models import Count, Min

from notifications.delivery.channels import CHANNELS
from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.delivery.portions import (
    PROBLEM_STATUSES,
    archived_by_group,
    group_counts,
    portion_count,
)
from notifications.models import Delivery, Notification, SendingSwitch
from notifications.models.deliveries import DeliveryQuerySet

GROUPS_PER_PROBLEM = 20

S = Delivery.Status


@dataclass(frozen=True, slots=True)
class Problem:
    """``count`` groups that ended for the same reason; ``groups`` are the first of them.

    Each group is a list of its deliveries with that reason, one per portion.
    """

    status: str
    explanation: Explanation
    count: int
    groups: Sequence[Sequence[Delivery]]


@dataclass(frozen=True, slots=True)
class Progress:
    """``counts`` is the number of groups by status, ``calls`` that of deliveries.

    They differ only where named members are sent to in several ``portions``.
    """

    counts: dict[str, int]
    problems: Sequence[Problem]
    calls: dict[str, int]
    portions: int = 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def total_calls(self) -> int:
        return sum(self.calls.values())

    @property
    def in_progress(self) -> int:
        """The number of calls in progress; a stop does not end them."""
        return self.calls[S.SENDING]

    @property
    def done(self) -> int:
        return self.total - self.counts[S.QUEUED] - self.counts[S.SENDING]

    @property
    def accepted(self) -> int:
        return self.counts[S.ACCEPTED]

    @property
    def problem_count(self) -> int:
        """The number of failed or unconfirmed groups, without cancelled ones."""
        return self.counts[S.FAILED] + self.counts[S.UNCONFIRMED]


def progress_of(notification: Notification) -> Progress:
    """Count results and problems. The number of queries depends on the kinds of problems."""
    rows = notification.deliveries.all()
    calls = rows.counts()
    if notification.has_ended and not any(calls.values()):
        return _archived_progress(notification)
    portions = portion_count(notification)
    counts = calls if portions == 1 else group_counts(rows)
    problems = _problems(rows, portions, notification.channel)
    return Progress(counts, problems, calls, portions)


def by_group_to_archive(notification: Notification) -> dict[str, Any] | None:
    """Compute ``Archive.by_group``, before the rows are removed."""
    portions = portion_count(notification)
    if portions == 1:
        return None
    rows = notification.deliveries.all()
    return {
        "parts": portions,
        "counts": group_counts(rows),
        "problems": [list(kind) for kind in _problem_kinds(rows)],
    }


def _problem_kinds(rows: DeliveryQuerySet) -> list[tuple[str, int | None, str, int]]:
    """Return status, code, reason and number of groups, the most frequent first."""
    return list(
        rows.filter(status__in=PROBLEM_STATUSES)
        .order_by()
        .values_list("status", "error_code", "reason")
        .annotate(count=Count("group_id", distinct=True))
        .order_by("-count")
    )


def _problems(rows: DeliveryQuerySet, portions: int, channel: str) -> list[Problem]:
    return [
        Problem(
            status,
            _explanation(code, reason, channel),
            count,
            _first_groups(
                rows.filter(status=status, reason=reason, **_code_is(code)), portions
            ),
        )
        for status, code, reason, count in _problem_kinds(rows)
    ]


def _first_groups(rows: DeliveryQuerySet, portions: int) -> list[list[Delivery]]:
    """Return the deliveries of the first groups in ``rows``."""
    if portions == 1:
        return [[row] for row in rows.order_by("id")[:GROUPS_PER_PROBLEM]]
    # Portions of a group are not adjacent: the first ones of all groups come first.
    groups = rows.order_by().values("group_id").annotate(first=Min("id"))
    first = groups.order_by("first").values_list("group_id", flat=True)
    deliveries: dict[str, list[Delivery]] = {
        group_id: [] for group_id in first[:GROUPS_PER_PROBLEM]
    }
    for row in rows.filter(group_id__in=list(deliveries)).order_by("portion"):
        deliveries[row.group_id].append(row)
    return list(deliveries.values())


def _archived_progress(notification: Notification) -> Progress:
    """Read result counts, and counts by group where the archive has them."""
    calls = dict.fromkeys(S.values, 0)
    kinds: Counter[tuple[str, int | None, str]] = Counter()
    for tally in notification.tallies.all():
        calls[tally.status] += tally.count
        if tally.status in PROBLEM_STATUSES:
            kinds[tally.status, tally.error_code, tally.reason] += tally.count
    counts, portions = calls, 1
    problems: Iterable[Sequence[Any]] = [(*kind, n) for kind, n in kinds.most_common()]
    by_group = archived_by_group([notification.pk]).get(notification.pk)
    if by_group is not None:
        counts, portions = by_group["counts"], by_group["parts"]
        problems = by_group["problems"]
    return Progress(
        counts,
        [
            Problem(status, _explanation(code, reason, notification.channel), count, [])
            for status, code, reason, count in problems
        ],
        calls,
        portions,
    )


def _explanation(code: int | None, reason: str, channel: str) -> Explanation:
    if reason:
        return explain_reason(reason, channel)
    return explain_code(code or 0, channel)


def _code_is(code: int | None) -> dict[str, Any]:
    return {"error_code__isnull": True} if code is None else {"error_code": code}


RATE_WINDOW = timedelta(seconds=10)


class WaitReason(Enum):
    """Why deliveries are queued; the first that applies is shown."""

    NOTHING_QUEUED = auto()
    SENDING_STOPPED = auto()
    PAUSED = auto()
    SCHEDULED = auto()
    NO_WORKER = auto()
    AMENDED = auto()  # for the results of the calls that sent the messages
    RETRY_DELAY = auto()
    RATE_LIMIT = auto()


@dataclass(frozen=True, slots=True)
class WaitState:
    """``rate`` is in deliveries per second over the last 10 s."""

    reason: WaitReason
    rate: float = 0.0
    seconds_left: int | None = None
    next_attempt: datetime | None = None


def wait_state(
    notification: Notification,
    counts: dict[str, int],
    *,
    now: datetime,
    has_worker: bool,
) -> WaitState:
    """Return why deliveries are queued; ``counts`` are of deliveries by status."""
    queued = counts[Delivery.Status.QUEUED]
    left = queued + counts[Delivery.Status.SENDING]
    rate = _rate(notification, now) if left else 0.0
    seconds_left = round(left / rate) if rate else None
    if left and not queued and not has_worker:
        return WaitState(WaitReason.NO_WORKER)
    if not queued:
        return WaitState(WaitReason.NOTHING_QUEUED, rate, seconds_left)
    channel = CHANNELS[notification.channel]
    if channel.obeys_switch and SendingSwitch.present().is_off:
        return WaitState(WaitReason.SENDING_STOPPED)
    if notification.status == Notification.Status.PAUSED:
        return WaitState(WaitReason.PAUSED)
    if notification.status == Notification.Status.SCHEDULED:
        return WaitState(WaitReason.SCHEDULED)
    if not has_worker:
        return WaitState(WaitReason.NO_WORKER)
    rows = notification.deliveries.filter(status=Delivery.Status.QUEUED)
    first = rows.aggregate(first=Min("not_before"))["first"]
    if first is not None and first > now:
        if channel.is_amendment and rows.filter(attempt_count=0).exists():
            return WaitState(WaitReason.AMENDED, rate)
        return WaitState(WaitReason.RETRY_DELAY, rate, seconds_left, first)
    return WaitState(WaitReason.RATE_LIMIT, rate, seconds_left)


def _rate(notification: Notification, now: datetime) -> float:
    since = now - RATE_WINDOW
    if notification.watched_since is not None:
        since = max(since, notification.watched_since)
    ended = notification.deliveries.filter(finished_at__gt=since).count()
    seconds = (now - since).total_seconds()
    return ended / seconds if seconds >= 1 else 0.0
