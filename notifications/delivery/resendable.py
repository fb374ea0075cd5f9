"""Deliveries of an ended notification that may be sent again, by kind of resend.

    failed        no member saw it, and a retry can succeed: Tencent rejected the call or
                  dropped the message, or its history of the group does not have it
    unconfirmed   members may have seen it: a resend can show it twice

A permanent rejection (the group is gone, its ID is wrong) is in neither kind. Deliveries
that were sent again already are excluded.
"""

from enum import StrEnum

from django.db.models import Exists, OuterRef, Q

from notifications.delivery.channels import CHANNELS
from notifications.models import ChatGroup, Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Reason

# Reasons of failed deliveries that no member saw.
NOT_SEEN = (Reason.DROPPED, Reason.NOT_IN_HISTORY)


class ResendKind(StrEnum):
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


def resendable_deliveries(
    notification: Notification, kind: ResendKind
) -> DeliveryQuerySet:
    """Return deliveries whose group is still in use and that were not sent again yet."""
    return _resendable(notification, kind, _failure_codes(notification))


def resendable_group_counts(notification: Notification) -> dict[str, int]:
    """Count the groups for each kind of resend; none before the notification has ended."""
    if not notification.has_ended or notification.amends_id is not None:
        return dict.fromkeys(ResendKind, 0)
    infos = _failure_codes(notification)
    return {
        kind: _resendable(notification, kind, infos)
        .values("group_id")
        .distinct()
        .count()
        for kind in ResendKind
    }


def _failure_codes(notification: Notification) -> list[error_codes.CodeInfo]:
    failed = notification.deliveries.filter(status=Delivery.Status.FAILED).order_by()
    codes = failed.filter(reason="").values_list("error_code", flat=True).distinct()
    command = CHANNELS[notification.channel].command
    return [error_codes.info(code, command) for code in codes if code is not None]


def _resendable(
    notification: Notification, kind: ResendKind, infos: list[error_codes.CodeInfo]
) -> DeliveryQuerySet:
    # A recall or a correction is repeated from the page of the notification it changes.
    rows = notification.deliveries.filter(amended_delivery__isnull=True)
    if kind is ResendKind.FAILED:
        retryable = [
            i.code
            for i in infos
            if i.certain and i.retry is not error_codes.Retry.NEVER
        ]
        condition = Q(status=Delivery.Status.FAILED) & (
            Q(error_code__in=retryable) | Q(reason__in=NOT_SEEN)
        )
    else:
        uncertain = [info.code for info in infos if not info.certain]
        condition = Q(status=Delivery.Status.UNCONFIRMED) | Q(
            status=Delivery.Status.FAILED, error_code__in=uncertain
        )
    # A cancelled resend made no call, so the delivery may be sent again.
    resends = Delivery.objects.filter(
        notification__resend_of=notification.pk,
        group_id=OuterRef("group_id"),
        portion=OuterRef("portion"),
    ).exclude(status=Delivery.Status.CANCELLED)
    in_use = ChatGroup.objects.usable().filter(group_id=OuterRef("group_id"))
    resendable: DeliveryQuerySet = rows.filter(condition).filter(
        ~Exists(resends), Exists(in_use)
    )
    return resendable
