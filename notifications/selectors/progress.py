"""How far a notification has come: counted from its rows, once archived from tallies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Min, When

from notifications.models import Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet

from .explanations import Explanation, explain_code, explain_reason

GROUPS_PER_PROBLEM = 20
S = Delivery.Status


@dataclass(frozen=True, slots=True)
class Problem:
    """Deliveries that ended, or wait, for the same reason."""

    status: str
    explanation: Explanation
    count: int
    first: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Progress:
    counts: dict[str, int]
    problems: Sequence[Problem]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

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
    kinds = (
        rows.filter(status__in=[S.FAILED, S.UNCONFIRMED])
        .order_by()
        .values_list("status", "error_code", "reason")
        .annotate(count=Count("group_id", distinct=True))
        .order_by("-count")
    )
    problems = [
        Problem(
            status,
            _explanation(code, reason),
            count,
            list(
                rows.filter(status=status, reason=reason, **_code_is(code)).order_by(
                    "id"
                )[:GROUPS_PER_PROBLEM]
            ),
        )
        for status, code, reason, count in kinds
    ]
    counts = _group_counts(rows) if notification.recipients else rows.counts()
    if notification.has_ended and not any(counts.values()):
        return _from_tallies(notification)
    return Progress(counts, problems)


def _from_tallies(notification: Notification) -> Progress:
    """Of an archived one. Deliveries are counted, also where a group had several."""
    counts = dict.fromkeys(S.values, 0)
    kinds: Counter[tuple[str, int | None, str]] = Counter()
    for tally in notification.tallies.all():
        counts[tally.status] += tally.count
        if tally.status in (S.FAILED, S.UNCONFIRMED):
            kinds[tally.status, tally.error_code, tally.reason] += tally.count
    problems = [
        Problem(status, _explanation(code, reason), count, [])
        for (status, code, reason), count in kinds.most_common()
    ]
    return Progress(counts, problems)


def _explanation(code: int | None, reason: str) -> Explanation:
    return explain_reason(reason) if reason else explain_code(code or 0)


# Of a group that is called in several portions: the first of these that one has.
_GROUP_STANDS_AT = [
    S.SENDING,
    S.QUEUED,
    S.FAILED,
    S.UNCONFIRMED,
    S.CANCELLED,
    S.ACCEPTED,
]


def _group_counts(rows: DeliveryQuerySet) -> dict[str, int]:
    """Groups per status; named members may go out in several deliveries a group."""
    place = Case(
        *(When(status=s, then=n) for n, s in enumerate(_GROUP_STANDS_AT)),
        output_field=IntegerField(),
    )
    places = (
        rows.order_by().values("group_id").annotate(place=Min(place)).values("place")
    )
    found = Counter(_GROUP_STANDS_AT[row["place"]].value for row in places)
    return {status: found.get(status, 0) for status in S.values}


def _code_is(code: int | None) -> dict[str, object]:
    return {"error_code__isnull": True} if code is None else {"error_code": code}
