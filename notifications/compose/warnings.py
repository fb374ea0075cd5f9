"""Warnings on the Check page. None of them prevents sending.

1000 a day, according to https://cloud.tencent.com/document/product/269/1630. Which time
zone the day ends in is not documented: it is counted in the console's own.
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

# The text has no index: the newest notifications by number are looked through.
LOOKED_THROUGH = 2000


@dataclass(frozen=True, slots=True)
class SameText:
    """``groups`` of those meant got the same text; ``at``: the last time."""

    groups: int
    at: datetime


def same_text(content: str, audience: Audience, now: datetime) -> SameText | None:
    """Whether the same text went to some of these groups lately; two queries."""
    newest = Notification.objects.order_by("-id").values("pk")[:LOOKED_THROUGH]
    same = Notification.objects.sent().filter(
        pk__in=newest, content=content, sent_at__gte=now - SAME_TEXT_WITHIN
    )
    numbers = list(same.order_by().values_list("pk", flat=True))
    if not numbers:
        return None
    # A refusal of which it is certain that nobody has seen it: it did not go there.
    certain = [info.code for info in error_codes.all_codes() if info.certain]
    found = (
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
    return SameText(found["groups"], found["at"]) if found["groups"] else None


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls a day, and how many were made since midnight."""

    limit: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def quota_today(now: datetime) -> Quota | None:
    """``None`` when ``IM_DAILY_QUOTA`` is off (0)."""
    limit: int = settings.IM_DAILY_QUOTA
    if not limit:
        return None
    midnight = timezone.localtime(now, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    # A call that was given up may have been made: it counts. One that was provably
    # not sent does not.
    made = Attempt.objects.filter(started_at__gte=midnight).exclude(
        outcome=Attempt.Outcome.NOT_SENT
    )
    return Quota(limit, made.count())
