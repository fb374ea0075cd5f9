"""Deliveries of a recall or a correction that wait for the message that they change.

An amendment has a delivery for each message that may be in a group. When it begins, the
calls of the amended notification may still be in progress, or Tencent is still queried
about them: those rows are due when the result is known, or end without a call.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from notifications.models import AMENDING, Delivery, Notification
from notifications.tencent.outcomes import Reason

# How far in the future a row waits; ``settle_waiting`` makes it due earlier.
WAIT = timedelta(seconds=60)


def amended_messages(amended: Mapping[int, int]) -> dict[int, int]:
    """The name (MsgSeq) of the message by the id of the row that changes it.

    ``amended``: the id of the amended delivery by row. Rows are missing whose message is
    not known to be in the group.
    """
    known: dict[int, Any] = dict(
        Delivery.objects.filter(
            pk__in=set(amended.values()),
            status=Delivery.Status.ACCEPTED,
            msg_seq__gte=1,
        ).values_list("pk", "msg_seq")
    )
    return {row: known[pk] for row, pk in amended.items() if pk in known}


def postpone(ids: Iterable[int], now: datetime) -> None:
    """Make rows wait whose message is not known yet; call it with the rows locked."""
    rows = Delivery.objects.filter(pk__in=list(ids), status=Delivery.Status.QUEUED)
    rows.update(not_before=now + WAIT)


def settle_waiting(now: datetime) -> None:
    """Make rows due whose message is known, and end those without a message.

    One query while no amendment is in progress.
    """
    notifications = Notification.objects.filter(
        channel__in=AMENDING, status__in=Notification.OPEN
    )
    for pk in list(notifications.values_list("pk", flat=True)):
        _settle(pk, now)


def _settle(notification: int, now: datetime) -> None:
    waiting = Delivery.objects.filter(
        notification=notification, status=Delivery.Status.QUEUED, not_before__gt=now
    )
    amended = Delivery.objects.filter(pk=OuterRef("amended_delivery"))
    is_known = Exists(amended.filter(status=Delivery.Status.ACCEPTED, msg_seq__gte=1))
    waiting.filter(is_known, attempt_count=0).update(not_before=now)
    is_open = Exists(amended.filter(status__in=Delivery.OPEN)) | Exists(
        amended.filter(next_query_at__isnull=False)
    )
    without = waiting.filter(~is_open, ~is_known, attempt_count=0)
    not_sent = [Delivery.Status.FAILED, Delivery.Status.CANCELLED]
    without.filter(Exists(amended.filter(status__in=not_sent))).update(
        status=Delivery.Status.CANCELLED, finished_at=now
    )
    without.update(
        status=Delivery.Status.FAILED, reason=Reason.NOT_KNOWN, finished_at=now
    )
