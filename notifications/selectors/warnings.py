"""What the Check page warns of: nothing here keeps anybody from sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from notifications.im import codes
from notifications.models import Delivery, Notification

from .audiences import Audience

SAME_TEXT_WITHIN = timedelta(days=1)
# The text has no index: the newest notifications by number are looked through.
LOOKED_THROUGH = 2000


@dataclass(frozen=True, slots=True)
class SameText:
    """``groups`` of those meant got the same text; ``at``: the last time."""

    groups: int
    at: datetime


def same_text(content: str, meant: Audience, now: datetime) -> SameText | None:
    """Whether the same text went to some of these groups lately; two queries."""
    newest = Notification.objects.order_by("-id").values("pk")[:LOOKED_THROUGH]
    same = Notification.objects.sent().filter(
        pk__in=newest, content=content, sent_at__gte=now - SAME_TEXT_WITHIN
    )
    numbers = list(same.order_by().values_list("pk", flat=True))
    if not numbers:
        return None
    # A refusal of which it is certain that nobody has seen it: it did not go there.
    certain = [info.code for info in codes.all_codes() if info.certain]
    found = (
        Delivery.objects.filter(
            notification_id__in=numbers,
            group_id__in=meant.going_groups().order_by().values("group_id"),
        )
        .exclude(status=Delivery.Status.CANCELLED)
        .exclude(status=Delivery.Status.FAILED, error_code__in=certain)
        .aggregate(
            groups=Count("group_id", distinct=True), at=Max("notification__sent_at")
        )
    )
    return SameText(found["groups"], found["at"]) if found["groups"] else None
