"""The figures of the Overview, each from an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from notifications.models import Delivery, Notification

from .explanations import Explanation, explain_code, explain_reason
from .history import problems_of
from .progress import Progress

LATEST = 6
REASONS = 5
PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many deliveries ended for one reason; ``filter`` finds them in the list."""

    count: int
    why: Explanation
    filter: str


@dataclass(frozen=True, slots=True)
class Latest:
    """One of the latest notifications; ``problems`` counts by status, for the six only."""

    notification: Notification
    problems: dict[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    first_of_today: str  # days as YYYY-MM-DD
    first_of_week: str
    today: dict[str, int]
    week: dict[str, int]
    sending: Progress  # of all notifications that are being sent
    troubles: Sequence[Trouble]
    latest: Sequence[Latest]

    @property
    def ended_in_week(self) -> int:
        return self.week["accepted"] + self.week["failed"] + self.week["unconfirmed"]

    @property
    def share(self) -> float | None:
        """Per cent of the week's ended deliveries that Tencent accepted."""
        ended = self.ended_in_week
        return round(100 * self.week["accepted"] / ended, 1) if ended else None

    @property
    def attention(self) -> int:
        return self.week["failed"] + self.week["unconfirmed"]


def overview() -> Overview:
    """Today and the last seven days in the current time zone; five queries."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    week_ago = midnight - timedelta(days=6)
    rows = Delivery.objects.history()
    week = rows.filter(created_at__gte=week_ago)
    kinds = (
        week.filter(status__in=PROBLEMS)
        .order_by()
        .values_list("error_code", "reason")
        .annotate(n=Count("id"))
        .order_by("-n")[:REASONS]
    )
    running = rows.filter(notification__status=Notification.Status.SENDING)
    latest = list(Notification.objects.sent().order_by("-id")[:LATEST])
    problems = problems_of(latest)
    return Overview(
        first_of_today=midnight.date().isoformat(),
        first_of_week=week_ago.date().isoformat(),
        today=rows.filter(created_at__gte=midnight).counts(),
        week=week.counts(),
        sending=Progress(running.counts(), []),
        troubles=[
            Trouble(n, explain_reason(reason), f"reason={reason}")
            if reason
            else Trouble(n, explain_code(code or 0), f"code={code}")
            for code, reason, n in kinds
        ],
        latest=[Latest(row, problems.get(row.pk, {})) for row in latest],
    )
