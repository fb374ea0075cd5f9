"""Which deliveries of an ended notification may be sent again, and in which way.

    failed        Tencent refused the call, nobody saw it, and another attempt can help
    unconfirmed   members may have seen it: sending again can show it twice

A refusal that no repetition mends (the group is gone, its ID is wrong) is in neither.
What was sent again already is not offered a second time.
"""

from enum import StrEnum

from django.db.models import Exists, OuterRef, Q

from notifications.models import ChatGroup, Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet
from notifications.tencent import error_codes


class ResendKind(StrEnum):
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


def resendable_deliveries(
    notification: Notification, kind: ResendKind
) -> DeliveryQuerySet:
    """The deliveries whose chat group is still in use and not sent to again yet."""
    return _sendable(notification, kind, _failed_with(notification))


def resendable_group_counts(notification: Notification) -> dict[str, int]:
    """How many groups can be sent to again in each way; none before it has ended."""
    if not notification.has_ended:
        return dict.fromkeys(ResendKind, 0)
    infos = _failed_with(notification)
    return {
        kind: _sendable(notification, kind, infos).values("group_id").distinct().count()
        for kind in ResendKind
    }


def _failed_with(notification: Notification) -> list[error_codes.CodeInfo]:
    found = notification.deliveries.filter(status=Delivery.Status.FAILED).order_by()
    failed_codes = found.values_list("error_code", flat=True).distinct()
    return [error_codes.info(code) for code in failed_codes if code is not None]


def _sendable(
    notification: Notification, kind: ResendKind, infos: list[error_codes.CodeInfo]
) -> DeliveryQuerySet:
    rows = notification.deliveries.all()
    if kind is ResendKind.FAILED:
        wanted = [
            i.code
            for i in infos
            if i.certain and i.retry is not error_codes.Retry.NEVER
        ]
        chosen = Q(status=Delivery.Status.FAILED, error_code__in=wanted)
    else:
        doubtful = [info.code for info in infos if not info.certain]
        chosen = Q(status=Delivery.Status.UNCONFIRMED) | Q(
            status=Delivery.Status.FAILED, error_code__in=doubtful
        )
    # One that was stopped before its call has not been sent to again.
    later = Delivery.objects.filter(
        notification__resend_of=notification.pk,
        group_id=OuterRef("group_id"),
        portion=OuterRef("portion"),
    ).exclude(status=Delivery.Status.CANCELLED)
    in_use = ChatGroup.objects.usable().filter(group_id=OuterRef("group_id"))
    found: DeliveryQuerySet = rows.filter(chosen).filter(~Exists(later), Exists(in_use))
    return found
