"""Deliveries of a recall or a correction that wait for the message that they change.

An amendment has a delivery for each message that may be in a group. When it begins, the
calls of the amended notification may still be in progress, or Tencent is still queried
about them: those rows are due when the result is known, or end without a call.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications.models import AMENDING, Delivery, Notification
from notifications.tencent.outcomes import Reason

# How far in the future a row waits; ``settle_waiting`` makes it due earlier. Well below
# ``recovery.MAX_WAIT``, which other machines compare with their own clock.
WAIT = timedelta(seconds=30)

# Rows of one notification that ``settle_waiting`` settles at a time.
BLOCK = 500


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

    One query while no amendment is in progress. Call it outside of a transaction that
    locks notifications afterwards: a stop locks the amendment before its rows.
    """
    notifications = Notification.objects.filter(
        channel__in=AMENDING, status__in=Notification.OPEN
    )
    for pk in list(notifications.values_list("pk", flat=True)):
        _settle(pk, now)


@transaction.atomic
def _settle(notification: int, now: datetime) -> None:
    """The result of an amended delivery is read once: it may change meanwhile.

    A row that another worker has locked is settled by that worker, or a second later.
    """
    amended = Delivery.objects.filter(pk=OuterRef("amended_delivery"))
    is_open = Exists(amended.filter(status__in=Delivery.OPEN)) | Exists(
        amended.filter(next_query_at__isnull=False)
    )
    rows = dict(
        Delivery.objects.filter(
            ~is_open,
            notification=notification,
            status=Delivery.Status.QUEUED,
            not_before__gt=now,
            attempt_count=0,
        )
        .order_by("pk")
        .select_for_update(of=("self",), skip_locked=True)
        .values_list("pk", "amended_delivery")[:BLOCK]
    )
    if not rows:
        return
    due = amended_messages({pk: amended or 0 for pk, amended in rows.items()})
    queued = Delivery.objects.filter(status=Delivery.Status.QUEUED)
    queued.filter(pk__in=list(due)).update(not_before=now)
    without = {pk: amended for pk, amended in rows.items() if pk not in due}
    not_there = set(
        Delivery.objects.filter(
            pk__in=list(without.values()),
            status__in=[Delivery.Status.FAILED, Delivery.Status.CANCELLED],
        ).values_list("pk", flat=True)
    )
    cancelled = [pk for pk, amended in without.items() if amended in not_there]
    not_known = [pk for pk, amended in without.items() if amended not in not_there]
    queued.filter(pk__in=cancelled).update(
        status=Delivery.Status.CANCELLED, finished_at=now
    )
    queued.filter(pk__in=not_known).update(
        status=Delivery.Status.FAILED, reason=Reason.NOT_KNOWN, finished_at=now
    )


@transaction.atomic
def end_of_another_application(since: datetime | None, now: datetime) -> int:
    """End the waiting rows of messages that were sent with another application.

    A group of the present application may have the same ID, and a message of other people
    at that number. ``since``: when calls began to go to the present application. Returns
    how many.
    """
    if since is None:
        return 0
    former = Delivery.objects.filter(
        pk=OuterRef("amended_delivery"), claimed_at__lt=since
    )
    rows = (
        Delivery.objects.filter(
            Exists(former),
            notification__in=Notification.objects.filter(
                channel__in=AMENDING, status__in=Notification.OPEN
            ).values("pk"),
            status=Delivery.Status.QUEUED,
        )
        .order_by("pk")
        .select_for_update(of=("self",), skip_locked=True)
    )
    ids = list(rows.values_list("pk", flat=True))
    return Delivery.objects.filter(pk__in=ids, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.FAILED,
        reason=Reason.NOT_KNOWN,
        error_code=None,
        error_info="",
        finished_at=now,
    )
