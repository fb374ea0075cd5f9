""" "Ask Tencent now": the next query before its time."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.delivery.audit_events import ASKED
from notifications.delivery.reconcile.questions import can_be_asked_now, open_queries
from notifications.models import Notification
from notifications.permissions import require, require_control


@dataclass(frozen=True, slots=True)
class OpenQueries:
    """``seconds_left``: until the last of them is due.

    ``askable``: the number of those for which a person need not wait.
    """

    count: int = 0
    seconds_left: int = 0
    askable: int = 0


@transaction.atomic
def ask_now(user: User, notification_id: int, delivery_id: int | None = None) -> int:
    """Make the queries of a notification due, or that of one delivery.

    Returns the number of those that ``can_be_asked_now``. Raises ``PermissionDenied``. A
    call that changes nothing writes no audit entry.
    """
    require(user, permissions.SEND)
    rows = Notification.objects.sent().select_for_update()
    notification = rows.get(pk=notification_id)
    require_control(user, notification)
    now = timezone.now()
    later = open_queries().filter(can_be_asked_now(now), notification=notification)
    if delivery_id is not None:
        later = later.filter(pk=delivery_id)
    ids = list(later.order_by("pk").select_for_update().values_list("pk", flat=True))
    later.filter(pk__in=ids).update(
        next_query_at=now, query_asked_by=user.get_username()
    )
    if ids:
        audit_log.write(
            ASKED,
            user.get_username(),
            notification=notification.pk,
            delivery=delivery_id,
            deliveries=len(ids),
        )
    return len(ids)
