"""What the Check page warns of: nothing here keeps anybody from sending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.im import codes
from notifications.models import ChatGroup, Delivery, Notification

from .audiences import BLOCK

CHECKED_WITHIN = timedelta(days=7)
SAME_TEXT_WITHIN = timedelta(days=1)
# The text has no index: the newest notifications by number are looked through.
LOOKED_THROUGH = 2000


@dataclass(frozen=True, slots=True)
class SameText:
    """``groups`` of those chosen got the same text; ``at``: the last time."""

    groups: int
    at: datetime


def long_unchecked(groups: Sequence[ChatGroup], now: datetime) -> int:
    """How many groups nobody vouched for during the last week."""
    since = now - CHECKED_WITHIN
    return sum(g.checked_at is None or g.checked_at < since for g in groups)


def same_text(
    content: str, groups: Sequence[ChatGroup], now: datetime
) -> SameText | None:
    """Whether the same text went to some of these groups lately; two queries."""
    newest = Notification.objects.order_by("-id").values("pk")[:LOOKED_THROUGH]
    same = Notification.objects.sent().filter(
        pk__in=newest, content=content, sent_at__gte=now - SAME_TEXT_WITHIN
    )
    sent = {row.pk: row.sent_at or now for row in same.only("sent_at").order_by()}
    if not sent:
        return None
    chosen = {group.group_id for group in groups}
    rows = Delivery.objects.filter(notification_id__in=list(sent)).exclude(
        status=Delivery.Status.CANCELLED
    )
    if len(chosen) <= BLOCK:
        rows = rows.filter(group_id__in=chosen)
    reached: set[str] = set()
    times: set[datetime] = set()
    for number, group_id, status, code in rows.values_list(
        "notification_id", "group_id", "status", "error_code"
    ).iterator():
        if group_id in chosen and not _was_refused(status, code):
            reached.add(group_id)
            times.add(sent[number])
    return SameText(len(reached), max(times)) if reached else None


def _was_refused(status: str, code: int | None) -> bool:
    """Failed, and certain that nobody has seen it: then it did not go there."""
    return (
        status == Delivery.Status.FAILED
        and code is not None
        and codes.info(code).certain
    )
