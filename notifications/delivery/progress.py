"""Progress of a notification: results so far, and why the rest waits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db.models import Count, Min

from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.delivery.portions import archived_counts, group_counts, portion_count
from notifications.models import Delivery, Notification, SendingSwitch
from notifications.models.deliveries import DeliveryQuerySet

GROUPS_PER_PROBLEM = 20

S = Delivery.Status


@dataclass(frozen=True, slots=True)
class Problem:
    """``count`` groups that ended for the same reason; ``groups``: the first of them.

    Of each group its deliveries with that reason, several where it has several parts.
    """

    status: str
    explanation: Explanation
    count: int
    groups: Sequence[Sequence[Delivery]]


@dataclass(frozen=True, slots=True)
class Progress:
    """``counts`` are of groups by status, ``calls`` of deliveries.

    They differ only where named members go out in several ``parts``.
    """

    counts: dict[str, int]
    problems: Sequence[Problem]
    calls: dict[str, int]
    parts: int = 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def total_calls(self) -> int:
        return sum(self.calls.values())

    @property
    def done(self) -> int:
        return self.total - self.counts[S.QUEUED] - self.counts[S.SENDING]

    @property
    def accepted(self) -> int:
        return self.counts[S.ACCEPTED]

    @property
    def problem_count(self) -> int:
        """Failed or not confirmed; what was cancelled is neither."""
        return self.counts[S.FAILED] + self.counts[S.UNCONFIRMED]


def progress_of(notification: Notification) -> Progress:
    """Counts and problems; the number of queries depends on the kinds of problems."""
    rows = notification.deliveries.all()
    calls = rows.counts()
    if notification.has_ended and not any(calls.values()):
        return _from_tallies(notification)
    parts = portion_count(notification)
    counts = calls if parts == 1 else group_counts(rows)
    return Progress(counts, _problems(rows, parts), calls, parts)


def archived_by_group(notification: Notification) -> dict[str, Any] | None:
    """What an archive keeps (``Archive.by_group``), while the rows are still here."""
    parts = portion_count(notification)
    if parts == 1:
        return None
    rows = notification.deliveries.all()
    return {
        "parts": parts,
        "counts": group_counts(rows),
        "problems": [list(kind) for kind in _kinds(rows)],
    }


def _kinds(rows: DeliveryQuerySet) -> list[tuple[str, int | None, str, int]]:
    """Status, code, reason, and how many groups; the most frequent first."""
    return list(
        rows.filter(status__in=[S.FAILED, S.UNCONFIRMED])
        .order_by()
        .values_list("status", "error_code", "reason")
        .annotate(count=Count("group_id", distinct=True))
        .order_by("-count")
    )


def _problems(rows: DeliveryQuerySet, parts: int) -> list[Problem]:
    return [
        Problem(
            status,
            _explanation(code, reason),
            count,
            _first_groups(
                rows.filter(status=status, reason=reason, **_code_is(code)), parts
            ),
        )
        for status, code, reason, count in _kinds(rows)
    ]


def _first_groups(alike: DeliveryQuerySet, parts: int) -> list[list[Delivery]]:
    """Of the first groups all deliveries that are alike."""
    if parts == 1:
        return [[row] for row in alike.order_by("id")[:GROUPS_PER_PROBLEM]]
    # The parts of a group lie apart: the first ones of all groups come first.
    groups = alike.order_by().values("group_id").annotate(first=Min("id"))
    first = groups.order_by("first").values_list("group_id", flat=True)
    found: dict[str, list[Delivery]] = {
        group_id: [] for group_id in first[:GROUPS_PER_PROBLEM]
    }
    for row in alike.filter(group_id__in=list(found)).order_by("portion"):
        found[row.group_id].append(row)
    return list(found.values())


def _from_tallies(notification: Notification) -> Progress:
    """Of an archived one; what was kept by group is told by group."""
    calls = dict.fromkeys(S.values, 0)
    kinds: Counter[tuple[str, int | None, str]] = Counter()
    for tally in notification.tallies.all():
        calls[tally.status] += tally.count
        if tally.status in (S.FAILED, S.UNCONFIRMED):
            kinds[tally.status, tally.error_code, tally.reason] += tally.count
    kept = archived_counts(notification.pk)
    if kept is not None:
        problems = [tuple(kind) for kind in kept["problems"]]
        return Progress(kept["counts"], _archived(problems), calls, kept["parts"])
    return Progress(
        calls, _archived([(*kind, n) for kind, n in kinds.most_common()]), calls
    )


def _archived(kinds: Iterable[tuple[Any, ...]]) -> list[Problem]:
    return [
        Problem(status, _explanation(code, reason), count, [])
        for status, code, reason, count in kinds
    ]


def _explanation(code: int | None, reason: str) -> Explanation:
    return explain_reason(reason) if reason else explain_code(code or 0)


def _code_is(code: int | None) -> dict[str, Any]:
    return {"error_code__isnull": True} if code is None else {"error_code": code}


RATE_OVER = timedelta(seconds=10)


class WaitReason(Enum):
    """What the waiting deliveries wait for; the first that is true is said."""

    FOR_NOTHING = auto()  # nothing waits
    FOR_THE_SWITCH = auto()
    FOR_A_PERSON = auto()  # paused
    FOR_ITS_TIME = auto()  # scheduled
    FOR_A_WORKER = auto()
    FOR_ANOTHER_ATTEMPT = auto()
    FOR_THE_PACE = auto()


@dataclass(frozen=True, slots=True)
class WaitState:
    """``rate`` in deliveries per second over the last 10 s; ``seconds_left`` at it."""

    why: WaitReason
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
    """What is to be said of a notification with these ``counts`` of its rows."""
    queued = counts[Delivery.Status.QUEUED]
    left = queued + counts[Delivery.Status.SENDING]
    rate = _rate(notification, now) if left else 0.0
    seconds_left = round(left / rate) if rate else None
    if not queued:
        return WaitState(WaitReason.FOR_NOTHING, rate, seconds_left)
    if SendingSwitch.present().is_off:
        return WaitState(WaitReason.FOR_THE_SWITCH)
    if notification.status == Notification.Status.PAUSED:
        return WaitState(WaitReason.FOR_A_PERSON)
    if notification.status == Notification.Status.SCHEDULED:
        return WaitState(WaitReason.FOR_ITS_TIME)
    if not has_worker:
        return WaitState(WaitReason.FOR_A_WORKER)
    rows = notification.deliveries.filter(status=Delivery.Status.QUEUED)
    first = rows.aggregate(first=Min("not_before"))["first"]
    if first is not None and first > now:
        return WaitState(WaitReason.FOR_ANOTHER_ATTEMPT, rate, seconds_left, first)
    return WaitState(WaitReason.FOR_THE_PACE, rate, seconds_left)


def _rate(notification: Notification, now: datetime) -> float:
    since = now - RATE_OVER
    if notification.watched_since is not None:
        since = max(since, notification.watched_since)
    ended = notification.deliveries.filter(finished_at__gt=since).count()
    seconds = (now - since).total_seconds()
    return ended / seconds if seconds >= 1 else 0.0
