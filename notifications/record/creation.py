"""Whether the deliveries of a notification were created by sending it.

The database cannot refuse that a finished notification, or another delivery of one, is
inserted by SQL. But sending writes an audit entry with the number of the deliveries that
it created; without it, a notification is not sealed, and verification names it.
"""

import logging
from functools import cache

from django.db.models import QuerySet, Sum

from notifications.models import AuditEntry, Delivery, Notification, Seal, Tally
from notifications.record.stored_types import wrong_types_of_notifications

logger = logging.getLogger(__name__)


def difference_of_creation(seal: Seal) -> str:
    """Compare the number of sealed deliveries with the entry; empty if they are equal."""
    number = seal.notification_id
    if number is None:
        return ""
    tallies = Tally.objects.filter(notification_id=number)
    return _difference(number, tallies.aggregate(rows=Sum("count"))["rows"] or 0)


def problem_before_sealing(number: int) -> str:
    """The reason why an ended notification must not be sealed; empty for none.

    It takes the number, because a value of a wrong type cannot be loaded.
    """
    notification = Notification.objects.filter(pk=number)
    return next(
        wrong_types_of_notifications(notification), ""
    ) or difference_of_deliveries(number)


def difference_of_deliveries(number: int) -> str:
    """Compare the number of unsealed deliveries with the entry; empty if it is equal."""
    rows = Delivery.objects.filter(notification_id=number)
    return _difference(number, rows.count())


def entries_of_creation(number: int) -> QuerySet[AuditEntry]:
    """The entries of its sending; the first one has the number of deliveries."""
    return AuditEntry.objects.filter(
        notification_number=number, action__in=AuditEntry.CREATING_DELIVERIES
    ).order_by("pk")


def _difference(number: int, deliveries: int) -> str:
    entry = entries_of_creation(number).first()
    if entry is None:
        return f"notification {number} was added: no audit entry says who sent it."
    created = entry.detail.get("deliveries") if isinstance(entry.detail, dict) else None
    if created != deliveries:
        return (
            f"notification {number} has {deliveries} deliveries, but audit entry "
            f"{entry.pk} of its sending says that {created} were created."
        )
    return ""


@cache
def log_once(problem: str) -> None:
    """Log a notification that is not sealed; sealing meets it again every few seconds."""
    logger.error("Not sealed: %s Run manage.py verify_history.", problem)
