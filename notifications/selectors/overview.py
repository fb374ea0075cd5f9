"""The figures and pictures of the Overview, all added up from the same sums."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifications.models import Delivery, GroupType, Notification, Tally

from .explanations import Explanation, explain_code, explain_reason
from .progress import Progress
from .sums import Sum, Sums, last_days, sums

LATEST = 6
REASONS = 8
S = Delivery.Status
# In the order in which a bar is built up.
RESULTS = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]
PROBLEMS = [S.FAILED, S.UNCONFIRMED]


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of one kind by result; ``of`` is a day or a group type."""

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
    """Deliveries that ended for one reason; ``per_day`` in the order of the days.

    ``filter`` is the part of the address that finds them in the list.
    """

    why: Explanation
    filter: dict[str, str]
    per_day: Sequence[int]

    @property
    def count(self) -> int:
        return sum(self.per_day)


@dataclass(frozen=True, slots=True)
class Latest:
    """One of the latest notifications; ``problems`` counts by status."""

    notification: Notification
    problems: dict[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    days: Sequence[date]
    all: Count
    per_day: Sequence[Count]
    per_type: Sequence[Count]  # only types with a delivery that ended
    troubles: Sequence[Trouble]  # the most frequent first
    sending: Progress  # of all notifications that are being sent
    latest: Sequence[Latest]

    @property
    def today(self) -> Count:
        return self.per_day[-1]

    @property
    def top_troubles(self) -> Sequence[Trouble]:
        return self.troubles[:REASONS]

    @property
    def other_troubles(self) -> int:
        """How many deliveries ended for reasons that are not at the top."""
        return sum(trouble.count for trouble in self.troubles[REASONS:])


def overview(days: int) -> Overview:
    """The last ``days`` days in the current time zone; seven queries at most."""
    found = sums(last_days(days))
    rows = found.rows
    rows_of = defaultdict(list)
    for row in rows:
        rows_of[row.day].append(row)
    return Overview(
        days=found.days,
        all=Count(None, _by_status(rows)),
        per_day=[Count(day, _by_status(rows_of[day])) for day in found.days],
        per_type=_per_type(rows),
        troubles=_troubles(found),
        sending=Progress(_by_status(found.being_sent), []),
        latest=_latest(found.live),
    )


def _per_type(rows: Sequence[Sum]) -> list[Count]:
    counts = [
        Count(kind, _by_status(row for row in rows if row.group_type == kind))
        for kind in GroupType
    ]
    return [count for count in counts if count.ended]


def _troubles(found: Sums) -> list[Trouble]:
    place = {day: n for n, day in enumerate(found.days)}
    kinds: dict[tuple[int | None, str], list[int]] = {}
    for row in found.rows:
        if row.status not in PROBLEMS:
            continue
        # Where a reason is given, the code is that of an earlier attempt.
        kind = (None, row.reason) if row.reason else (row.error_code, "")
        per_day = kinds.setdefault(kind, [0] * len(place))
        per_day[place[row.day]] += row.count
    troubles = [
        Trouble(explain_reason(reason), {"reason": reason}, per_day)
        if code is None
        else Trouble(
            explain_code(code), {"status": S.FAILED.value, "code": str(code)}, per_day
        )
        for (code, reason), per_day in kinds.items()
    ]
    return sorted(troubles, key=lambda t: (-t.count, t.why.mark, t.why.meaning))


def _latest(live: Sequence[Tally]) -> list[Latest]:
    rows = list(Notification.objects.sent().order_by("-id")[:LATEST])
    counted_live = {row.notification_id for row in live}
    sealed = [row.pk for row in rows if row.pk not in counted_live]
    tallies = [*live, *Tally.objects.filter(notification_id__in=sealed)]
    return [
        Latest(row, _by_status(t for t in tallies if t.notification_id == row.pk))
        for row in rows
    ]


def _by_status(rows: Iterable[Sum | Tally]) -> dict[str, int]:
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
