"""Queries for the warnings on the Check page. No warning prevents sending.

The quota is 1000 calls a day (https://cloud.tencent.com/document/product/269/1630). The
time zone of that day is not documented: the console uses its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max
from django.utils import timezone

from notifications.audiences.audience import Audience
from notifications.models import Attempt, Delivery, Notification
from notifications.tencent import error_codes

SAME_TEXT_WITHIN = timedelta(days=1)

# The text has no index: only the newest notifications are compared.
MAX_COMPARED = 2000


@dataclass(frozen=True, slots=True)
class SameText:
    """``groups``: how many included groups got the same text; ``at``: the last time."""

    groups: int
    at: datetime


def same_text(content: str, audience: Audience, now: datetime) -> SameText | None:
    """Whether the same text was sent to included groups recently; two queries."""
    newest = Notification.objects.order_by("-id").values("pk")[:MAX_COMPARED]
    same = Notification.objects.sent().filter(
        pk__in=newest,
        content=content,
        sent_at__gte=now - SAME_TEXT_WITHIN,
        amends__isnull=True,
    )
    numbers = list(same.order_by().values_list("pk", flat=True))
    if not numbers:
        return None
    # After a refusal with a certain code, no member has seen the text.
    certain = [info.code for info in error_codes.all_codes() if info.certain]
    sent = (
        Delivery.objects.filter(
            notification_id__in=numbers,
            group_id__in=audience.included_groups().order_by().values("group_id"),
        )
        .exclude(status=Delivery.Status.CANCELLED)
        .exclude(status=Delivery.Status.FAILED, error_code__in=certain)
        .aggregate(
            groups=Count("group_id", distinct=True), at=Max("notification__sent_at")
        )
    )
    return SameText(sent["groups"], sent["at"]) if sent["groups"] else None


@dataclass(frozen=True, slots=True)
class Quota:
    """The ``limit`` of calls a day, and the calls ``used`` since midnight."""

    limit: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def quota_today(now: datetime) -> Quota | None:
    """``None`` if ``IM_DAILY_QUOTA`` is 0, which disables the warning."""
    limit: int = settings.IM_DAILY_QUOTA
    if not limit:
        return None
    midnight = timezone.localtime(now, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    # Counts abandoned calls, which Tencent may have received, but not those that were
    # provably not sent.
    # The calls of recalls and corrections have limits of their own.
    attempts = Attempt.objects.filter(
        started_at__gte=midnight, delivery__amended_delivery__isnull=True
    ).exclude(outcome=Attempt.Outcome.NOT_SENT)
    return Quota(limit, attempts.count())
