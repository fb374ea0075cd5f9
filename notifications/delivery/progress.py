"""Progress of a notification: counts of its results, and what went wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.db.models import Count, F, Min, Window
from django.db.models.functions import RowNumber

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
from notifications.models import Delivery, Notification
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
    """Count results and problems. Two queries, five for members in portions.

    Of archived deliveries, the results that the archive keeps.
    """
    rows = notification.deliveries.all()
    portions = portion_count(notification)
    kinds = _kinds(rows, portions)
    calls = dict.fromkeys(S.values, 0)
    for kind in kinds:
        calls[kind.status] += kind.calls
    if notification.has_ended and not kinds:
        return _archived_progress(notification)
    counts = calls if portions == 1 else group_counts(rows)
    problems = _problems(rows, kinds, portions, notification.channel)
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
        "problems": [
            [kind.status, kind.code, kind.reason, kind.groups]
            for kind in _kinds(rows, portions)
            if kind.status in PROBLEM_STATUSES
        ],
    }


_KIND = ["status", "error_code", "reason"]
_Key = tuple[str, int | None, str]


class _Kind(NamedTuple):
    """Deliveries with the same result: ``calls`` of them, to ``groups`` groups."""

    status: str
    code: int | None
    reason: str
    calls: int
    groups: int


def _kinds(rows: DeliveryQuerySet, portions: int) -> list[_Kind]:
    """Count deliveries by result, the most frequent result first.

    By type of group as well: this is the order of the index ``delivery_alike``, which has
    all columns unless groups are counted, so SQLite need not sort the rows.
    """
    calls = Count("*")
    groups = calls if portions == 1 else Count("group_id", distinct=True)
    types = rows.order_by().values_list("status", "error_code", "reason", "group_type")
    sums: dict[_Key, list[int]] = {}
    for *kind, _type, n_calls, n_groups in types.annotate(calls=calls, groups=groups):
        counts = sums.setdefault(cast(_Key, tuple(kind)), [0, 0])
        counts[0] += n_calls
        counts[1] += n_groups
    kinds = [_Kind(*kind, *counts) for kind, counts in sums.items()]
    return sorted(kinds, key=lambda kind: kind.groups, reverse=True)


def _problems(
    rows: DeliveryQuerySet, kinds: list[_Kind], portions: int, channel: str
) -> list[Problem]:
    problems = [kind for kind in kinds if kind.status in PROBLEM_STATUSES]
    groups = _first_groups(rows, portions) if problems else {}
    return [
        Problem(
            kind.status,
            _explanation(kind.code, kind.reason, channel),
            kind.groups,
            list(groups.get(kind[:3], {}).values()),
        )
        for kind in problems
    ]


def _first_groups(
    rows: DeliveryQuerySet, portions: int
) -> dict[_Key, dict[str, list[Delivery]]]:
    """Return the deliveries of the first groups of each kind of problem.

    One query, or two with portions.
    """
    problems = rows.filter(status__in=PROBLEM_STATUSES).order_by()
    kinds = [F(name) for name in _KIND]
    first: set[tuple[Any, ...]] | None = None
    if portions == 1:
        place = Window(RowNumber(), partition_by=kinds, order_by="id")
        numbered = problems.annotate(place=place).filter(place__lte=GROUPS_PER_PROBLEM)
        # Only IDs are numbered: whole rows in a window take ten times as long.
        shown = rows.filter(pk__in=numbered.values("pk")).order_by("id")
    else:
        # Portions of a group are not adjacent: the first ones of all groups come first.
        groups = problems.values_list(*_KIND, "group_id").annotate(first=Min("id"))
        place = Window(RowNumber(), partition_by=kinds, order_by="first")
        by_place = groups.annotate(place=place).filter(place__lte=GROUPS_PER_PROBLEM)
        first = {row[:4] for row in by_place.values_list(*_KIND, "group_id")}
        names = {group_id for *_kind, group_id in first}
        shown = problems.filter(group_id__in=names).order_by("id")
    deliveries: dict[_Key, dict[str, list[Delivery]]] = {}
    for row in shown:
        kind = row.status, row.error_code, row.reason
        if first is None or (*kind, row.group_id) in first:
            of_kind = deliveries.setdefault(kind, {})
            of_kind.setdefault(row.group_id, []).append(row)
    return deliveries


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
