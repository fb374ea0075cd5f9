"""The daily quota of trial and developer editions: how many calls are left today.

1000 a day, according to https://cloud.tencent.com/document/product/269/1630. Which time
zone the day ends in is not documented: it is counted in the console's own.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from notifications.models import Attempt


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
