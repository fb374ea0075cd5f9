"""What stands beside one delivery: others to the same group, and its seal."""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.models import Delivery, Seal

from .seals import seal_of


@dataclass(frozen=True, slots=True)
class Beside:
    """``earlier`` was sent again by this one; ``later`` sent this one again."""

    seal: Seal | None
    earlier: Sequence[Delivery]
    later: Sequence[Delivery]


def beside(delivery: Delivery) -> Beside:
    """Of the same group and portion of members; three queries."""
    same = Delivery.objects.history().filter(
        group_id=delivery.group_id, portion=delivery.portion
    )
    first = delivery.notification.resend_of_id
    again = delivery.notification.resends.values_list("pk", flat=True)
    return Beside(
        seal=seal_of(delivery.notification_id),
        earlier=list(same.filter(notification_id=first)) if first else [],
        later=list(same.filter(notification_id__in=list(again)).order_by("pk")),
    )
