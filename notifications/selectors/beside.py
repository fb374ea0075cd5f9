"""What stands beside one delivery: others to the same group, and its seal."""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.models import Delivery, Seal

from .seals import seal_of


@dataclass(frozen=True, slots=True)
class Beside:
    """``earlier`` was sent again by this one; ``later`` sent this one again.

    ``other_parts`` of the same send went to other members of the group.
    """

    seal: Seal | None
    other_parts: Sequence[Delivery]
    earlier: Sequence[Delivery]
    later: Sequence[Delivery]


def beside(delivery: Delivery) -> Beside:
    """Three queries; one more where members were named in several parts."""
    of_group = delivery.notification.deliveries.filter(group_id=delivery.group_id)
    same = Delivery.objects.history().filter(
        group_id=delivery.group_id, portion=delivery.portion
    )
    first = delivery.notification.resend_of_id
    again = delivery.notification.resends.values_list("pk", flat=True)
    return Beside(
        seal=seal_of(delivery.notification_id),
        other_parts=list(of_group.exclude(pk=delivery.pk).order_by("portion"))
        if delivery.parts > 1
        else [],
        earlier=list(same.filter(notification_id=first)) if first else [],
        later=list(same.filter(notification_id__in=list(again)).order_by("pk")),
    )
