"""The figures of the Overview, each from an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from notifications.models import Delivery, Notification

from .explanations import Explanation, explain_code, explain_reason

LATEST = 6
REASONS = 5
PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]


@dataclass(frozen=True, slots=True)
class Overview:
    today: dict[str, int]
    week: dict[str, int]
    open: dict[str, int]
    reasons: Sequence[tuple[int, Explanation]]
    latest: Sequence[Notification]

    @property
    def share(self) -> float | None:
        """Per cent of the week's ended deliveries that Tencent accepted."""
        ended = self.week["accepted"] + self.week["failed"] + self.week["unconfirmed"]
        return round(100 * self.week["accepted"] / ended, 1) if ended else None

    @property
    def attention(self) -> int:
        return self.week["failed"] + self.week["unconfirmed"]


def overview() -> Overview:
    """Today and the last seven days in the current time zone; five queries."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Delivery.objects.history()
    week = rows.filter(created_at__gte=midnight - timedelta(days=6))
    kinds = (
        week.filter(status__in=PROBLEMS)
        .order_by()
        .values_list("error_code", "reason")
        .annotate(n=Count("id"))
        .order_by("-n")[:REASONS]
    )
    running = rows.filter(notification__status=Notification.Status.SENDING)
    latest = Notification.objects.sent().annotate(
        total=Count("deliveries"),
        failed=Count("deliveries", filter=Q(deliveries__status="failed")),
        unconfirmed=Count("deliveries", filter=Q(deliveries__status="unconfirmed")),
    )
    return Overview(
        today=rows.filter(created_at__gte=midnight).counts(),
        week=week.counts(),
        open=running.counts(),
        reasons=[
            (n, explain_reason(reason) if reason else explain_code(code or 0))
            for code, reason, n in kinds
        ],
        latest=list(latest.order_by("-id")[:LATEST]),
    )
