"""The data of the Overview, computed from one set of sums."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, Q

from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.delivery.portions import groups_with_problems
from notifications.delivery.progress import Progress
from notifications.history.overview.sums import (
    DailySum,
    DayRange,
    daily_sums,
    last_day_ranges,
)
from notifications.models import Delivery, GroupType, Notification, Tally
from notifications.record.queries import archives_between

LATEST = 6

WEEK = 7  # days

# For more days, a bar shows a week.
BARS = 31

REASONS = 8

S = Delivery.Status

# The order of the segments of a bar, from the bottom.
RESULTS = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]

PROBLEMS = [S.FAILED, S.UNCONFIRMED]


@dataclass(frozen=True, slots=True)
class ResultCount:
    """Deliveries by result; ``of`` is the span or the group type that they share."""

    of: Any
    by_status: dict[str, int]

    @property
    def ended(self) -> int:
        """Deliveries with a result of a call: neither cancelled nor waiting."""
        return sum(self.by_status[s] for s in (S.ACCEPTED, *PROBLEMS))

    @property
    def problems(self) -> int:
        return sum(self.by_status[s] for s in PROBLEMS)

    @property
    def share(self) -> float | None:
        """Percentage of the ended deliveries that Tencent accepted."""
        return _per_cent(self.by_status[S.ACCEPTED], self.ended)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Deliveries that ended for one reason; ``per_span`` has the order of the spans.

    ``filter`` holds the query parameters of the list for these deliveries.
    """

    why: Explanation
    filter: dict[str, str]
    per_span: Sequence[int]

    @property
    def count(self) -> int:
        return sum(self.per_span)


@dataclass(frozen=True, slots=True)
class Latest:
    """One of the latest notifications; ``problems`` counts by status."""

    notification: Notification
    problems: dict[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    period: DayRange
    all: ResultCount
    today: ResultCount
    per_span: Sequence[ResultCount]
    per_type: Sequence[ResultCount]  # only types with a delivery that ended
    troubles: Sequence[Trouble]  # the most frequent first
    sending: Progress  # of all notifications that are being sent
    latest: Sequence[Latest]
    has_archived: bool  # the lists lack archived deliveries of the period

    @property
    def top_troubles(self) -> Sequence[Trouble]:
        return self.troubles[:REASONS]

    @property
    def other_troubles(self) -> int:
        """Number of deliveries that ended for reasons outside of ``top_troubles``."""
        return sum(trouble.count for trouble in self.troubles[REASONS:])


def overview(days: int) -> Overview:
    """Compute the Overview of the last ``days`` days; at most five queries."""
    spans = last_day_ranges(days, of=1 if days <= BARS else WEEK)
    (today,) = last_day_ranges(1, of=1)
    sums = daily_sums([*spans, today])
    rows_of = defaultdict(list)
    for row in sums.rows:
        rows_of[row.span_index].append(row)
    rows_of_today = rows_of.pop(len(spans), [])
    rows = [row for rows in rows_of.values() for row in rows]
    period = DayRange(spans[0].first, today.last)
    latest = _latest_rows(period)
    sending = _by_status(sums.being_sent)
    return Overview(
        period=period,
        all=ResultCount(None, _by_status(rows)),
        today=ResultCount(today, _by_status(rows_of_today)),
        per_span=[
            ResultCount(span, _by_status(rows_of[place]))
            for place, span in enumerate(spans)
        ],
        per_type=_per_type(rows),
        troubles=_troubles(rows, len(spans)),
        sending=Progress(sending, [], sending),
        latest=_latest(latest, sums.unsealed_counts),
        # Annotated equally on each row; without rows, nothing can be archived.
        has_archived=any(row.has_archived for row in latest),
    )


def _per_type(rows: Sequence[DailySum]) -> list[ResultCount]:
    counts = [
        ResultCount(kind, _by_status(row for row in rows if row.group_type == kind))
        for kind in GroupType
    ]
    return [count for count in counts if count.ended]


def _troubles(rows: Sequence[DailySum], spans: int) -> list[Trouble]:
    reasons: dict[tuple[str, int | None, str], list[int]] = {}
    for row in rows:
        if row.status in PROBLEMS:
            # With a reason, the code is that of an earlier attempt.
            cause = (None, row.reason) if row.reason else (row.error_code, "")
            kind = (row.status, *cause)
            reasons.setdefault(kind, [0] * spans)[row.span_index] += row.count
    troubles = [
        Trouble(explain_reason(reason), {"status": status, "reason": reason}, per_span)
        if code is None
        else Trouble(
            explain_code(code), {"status": status, "code": str(code)}, per_span
        )
        for (status, code, reason), per_span in reasons.items()
    ]
    return sorted(troubles, key=lambda t: (-t.count, t.why.mark, t.why.meaning))


def _latest_rows(period: DayRange) -> list[Any]:
    """The newest, with ``has_archived`` and ``tallied_<status>`` of each problem."""
    sends = Notification.objects.sent().filter(amends__isnull=True)
    newest = sends.order_by("-id")[:LATEST]
    of_sealed = {
        f"tallied_{status}": models.Sum(
            "tallies__count", filter=Q(tallies__status=status)
        )
        for status in PROBLEMS
    }
    archived = archives_between(period.first, period.last)
    rows = Notification.objects.filter(pk__in=newest.values("pk"))
    rows = rows.annotate(**of_sealed, has_archived=Exists(archived))
    return list(rows.order_by("-id"))


def _latest(rows: Sequence[Any], unsealed_counts: Sequence[Tally]) -> list[Latest]:
    unsealed = {row.notification_id for row in unsealed_counts}
    by_delivery = {
        row.pk: _by_status(
            tally for tally in unsealed_counts if tally.notification_id == row.pk
        )
        if row.pk in unsealed
        else {s: getattr(row, f"tallied_{s}") or 0 for s in PROBLEMS}
        for row in rows
    }
    problems = by_delivery | groups_with_problems(rows)
    return [Latest(row, problems[row.pk]) for row in rows]


def _by_status(rows: Iterable[DailySum | Tally]) -> dict[str, int]:
    """Sum the counts by status; every status is a key."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.status] += row.count
    return {status: counts[status] for status in S.values}


def _per_cent(part: int, whole: int) -> float | None:
    """Round to a tenth; 100 only if ``part`` equals ``whole``."""
    if not whole:
        return None
    return 100.0 if part == whole else min(round(100 * part / whole, 1), 99.9)
