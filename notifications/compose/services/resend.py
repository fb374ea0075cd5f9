"""Sends failed or unconfirmed deliveries again.

Finished rows are not changed: a resend is a new notification, linked to the first.
"""

from collections import defaultdict

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.audiences.audience import build_audience
from notifications.audiences.validation import check_audience
from notifications.compose.audit_events import RESENT
from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.delivery.resendable import ResendKind, resendable_deliveries
from notifications.models import Notification, WrongState
from notifications.models.field_uses import Use, column_names
from notifications.permissions import require, require_control

Kind = Notification.Audience


@transaction.atomic
def send_again(user: User, notification_id: int, kind: ResendKind) -> Notification:
    """Create a notification for the failed or the unconfirmed groups.

    A second call has no deliveries left to send again, and returns the notification of
    the first call. Raises ``PermissionDenied``; ``WrongState`` if the notification has
    not ended; ``ValidationError`` if there is nothing to send again, or a group now
    accepts notifications for all members only.
    """
    user = require(user, permissions.SEND)
    first = Notification.objects.select_for_update().get(pk=notification_id)
    require_control(user, first)
    if not first.has_ended:
        raise WrongState(first.pk, "sent again")
    rows = resendable_deliveries(first, kind)
    group_ids_of = defaultdict(list)
    recipients_of = {}
    for group_id, portion, recipients in rows.values_list(
        "group_id", "portion", "recipients"
    ):
        group_ids_of[portion].append(group_id)
        recipients_of[portion] = recipients
    if not group_ids_of:
        return _previous_resend(first)
    chosen = sorted({i for ids in group_ids_of.values() for i in ids})
    audience = build_audience(Kind.CHOSEN, chosen, names_members=bool(first.recipients))
    check_audience(audience)
    group_pks = dict(zip(chosen, audience.group_pks(), strict=True))
    resend = _copy(user, first, chosen)
    now = timezone.now()
    for portion, group_ids in sorted(group_ids_of.items()):
        insert_deliveries(
            resend,
            [group_pks[group_id] for group_id in group_ids],
            portion=portion,
            recipients=recipients_of[portion],
            now=now,
        )
    resend.start()
    audit_log.write(
        RESENT,
        user.get_username(),
        notification=resend.pk,
        of=first.pk,
        kind=kind.value,
        groups=len(chosen),
    )
    return resend


def _copy(user: User, first: Notification, group_ids: list[str]) -> Notification:
    return Notification.objects.create(
        sender=user,
        sender_name=user.get_username(),
        by_superuser=user.is_superuser,
        **{
            name: getattr(first, name)
            for name in column_names(Notification, Use.COPIED)
        },
        audience=Kind.CHOSEN,
        audience_values=group_ids,
        audience_count=len(group_ids),
        resend_of=first,
    )


def _previous_resend(first: Notification) -> Notification:
    newest: Notification | None = first.resends.order_by("-pk").first()
    if newest is None:
        raise ValidationError(
            _("There is no group left that this could be sent to again.")
        )
    return newest
