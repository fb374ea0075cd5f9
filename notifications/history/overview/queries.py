"""The figures and pictures of the Overview, all added up from the same sums."""

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
    last_day_ranges,
    sums,
)
from notifications.models import Delivery, GroupType, Notification, Tally
from notifications.record.queries import of_period

LATEST = 6

WEEK = 7  # days

# More bars than these are too many to read: then one stands for a week.
BARS = 31

REASONS = 8

S = Delivery.Status

# In the order in which a bar is built up.
RESULTS = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]

PROBLEMS = [S.FAILED, S.UNCONFIRMED]


@dataclass(frozen=True, slots=True)
class ResultCount:
    """Deliveries of one kind by result; ``of`` is a span or a group type."""

    of: Any
    by_status: dict[str, int]

    @property
    def ended(self) -> int:
        """With a result that says something of Tencent: not cancelled, not waiting."""
        return sum(self.by_status[s] for s in (S.ACCEPTED, *PROBLEMS))

    @property
    def problems(self) -> int:
        return sum(self.by_status[s] for s in PROBLEMS)

    @property
    def share(self) -> float | None:
        """Per cent of what ended that Tencent accepted."""
        return _per_cent(self.by_status[S.ACCEPTED], self.ended)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Deliveries that ended for one reason; ``per_span`` in the order of the spans.

    ``filter`` is the part of the address that finds them in the list.
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
    has_archived: bool  # whether deliveries of the period are not in the lists any more

    @property
    def top_troubles(self) -> Sequence[Trouble]:
        return self.troubles[:REASONS]

    @property
    def other_troubles(self) -> int:
        """How many deliveries ended for reasons that are not at the top."""
        return sum(trouble.count for trouble in self.troubles[REASONS:])


def overview(days: int) -> Overview:
    """The last ``days`` days in the current time zone; five queries at most."""
    spans = last_day_ranges(days, of=1 if days <= BARS else WEEK)
    (today,) = last_day_ranges(1, of=1)
    found = sums([*spans, today])
    rows_of = defaultdict(list)
    for row in found.rows:
        rows_of[row.place].append(row)
    rows_of_today = rows_of.pop(len(spans), [])
    rows = [row for rows in rows_of.values() for row in rows]
    period = DayRange(spans[0].first, today.last)
    latest = _latest_rows(period)
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
        sending=_sending(found.being_sent),
        latest=_latest(latest, found.live),
        # An archived notification is a notification: where there is none, there is none.
        has_archived=any(row.has_archived for row in latest),
    )


def _sending(rows: Sequence[Tally]) -> Progress:
    counts = _by_status(rows)
    return Progress(counts, [], counts)


def _per_type(rows: Sequence[DailySum]) -> list[ResultCount]:
    counts = [
        ResultCount(kind, _by_status(row for row in rows if row.group_type == kind))
        for kind in GroupType
    ]
    return [count for count in counts if count.ended]


def _troubles(rows: Sequence[DailySum], spans: int) -> list[Trouble]:
    kinds: dict[tuple[int | None, str], list[int]] = {}
    for row in rows:
        if row.status in PROBLEMS:
            # Where a reason is given, the code is that of an earlier attempt.
            kind = (None, row.reason) if row.reason else (row.error_code, "")
            kinds.setdefault(kind, [0] * spans)[row.place] += row.count
    troubles = [
        Trouble(explain_reason(reason), {"reason": reason}, per_span)
        if code is None
        else Trouble(
            explain_code(code), {"status": S.FAILED.value, "code": str(code)}, per_span
        )
        for (code, reason), per_span in kinds.items()
    ]
    return sorted(troubles, key=lambda t: (-t.count, t.why.mark, t.why.meaning))


def _latest_rows(period: DayRange) -> list[Any]:
    """With ``tallied_…`` for each status of a problem, and ``has_archived``."""
    newest = Notification.objects.sent().order_by("-id")[:LATEST]
    of_sealed = {
        f"tallied_{status}": models.Sum(
            "tallies__count", filter=Q(tallies__status=status)
        )
        for status in PROBLEMS
    }
    archived = of_period(period.first, period.last)
    rows = Notification.objects.filter(pk__in=newest.values("pk"))
    rows = rows.annotate(**of_sealed, has_archived=Exists(archived))
    return list(rows.order_by("-id"))


def _latest(rows: Sequence[Any], live: Sequence[Tally]) -> list[Latest]:
    counted_live = {row.notification_id for row in live}
    by_delivery = {
        row.pk: _by_status(tally for tally in live if tally.notification_id == row.pk)
        if row.pk in counted_live
        else {s: getattr(row, f"tallied_{s}") or 0 for s in PROBLEMS}
        for row in rows
    }
    problems = by_delivery | groups_with_problems(rows)
    return [Latest(row, problems[row.pk]) for row in rows]


def _by_status(rows: Iterable[DailySum | Tally]) -> dict[str, int]:
    """Every status is present."""
    found: Counter[str] = Counter()
    for row in rows:
        found[row.status] += row.count
    return {status: found[status] for status in S.values}


def _per_cent(part: int, whole: int) -> float | None:
    """To a tenth, and never 100 where one is missing."""
    if not whole:
        return None
    return 100.0 if part == whole else min(round(100 * part / whole, 1), 99.9)
