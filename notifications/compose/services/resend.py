"""Sends failed or unconfirmed deliveries again.

Finished rows are not changed: a resend is a new notification, linked to the first.
"""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.audiences.audience import build_audience
from notifications.audiences.validation import check_audience
from notifications.compose.audit_events import RESENT
from notifications.compose.message_options import check_sendable
from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.compose.services.sender_check import require_sender
from notifications.delivery.resendable import ResendKind, resendable_deliveries
from notifications.delivery.schedule import check_not_after
from notifications.models import ChatGroup, Delivery, Notification, WrongState
from notifications.models.field_uses import Use, column_names
from notifications.models.notifications import join_recipients
from notifications.permissions import require, require_control

Kind = Notification.Audience

# Group ID, portion, recipients, name and type of the group.
Row = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class ResendPreview:
    """What a resend would send now. ``groups``: their names and types, by name.

    ``members`` is empty for everyone. ``digest`` identifies all that leaves: the message,
    the channel and its options, the note, and for each delivery its group and members.
    """

    groups: Sequence[tuple[str, str]]
    members: Sequence[str]
    digest: str


def preview(first: Notification, kind: ResendKind) -> ResendPreview:
    rows = resendable_deliveries(first, kind)
    groups = {
        group_id: (name, group_type)
        for group_id, name, group_type in ChatGroup.objects.filter(
            group_id__in=rows.order_by().values("group_id")
        ).values_list("group_id", "name", "type")
    }
    columns = rows.values_list("group_id", "portion", "recipients")
    new = [(*row, *groups[row[0]]) for row in columns if row[0] in groups]
    return ResendPreview(
        groups=sorted({row[0]: row[3:] for row in new}.values()),
        members=_members_in(first, [row[2] for row in new]),
        digest=_digest(first, new),
    )


@transaction.atomic
def send_again(
    user: User,
    notification_id: int,
    kind: ResendKind,
    *,
    digest: str,
    not_after: datetime | None = None,
    token: uuid.UUID | None = None,
) -> Notification:
    """Create a notification for the failed or the unconfirmed groups.

    ``digest`` is that of the preview that the person has seen. A second call with the
    same ``token``, that of the page, returns the notification of the first call.

    Raises ``PermissionDenied``; ``WrongState`` if the notification has not ended or has
    calls in progress; ``ValidationError`` for a recall or a correction, if there is
    nothing to send again, if a group
    now refuses the message, if the application may not send in this channel any more, if
    the sender account was not found, if anything changed since the preview, or for an
    invalid time (``not_after``).
    """
    user = require(user, permissions.SEND)
    first = Notification.objects.select_for_update().get(pk=notification_id)
    require_control(user, first)
    if token and (resend := Notification.objects.filter(token=token).first()):
        return resend
    if first.amends_id is not None:
        raise ValidationError(
            _(
                "%(kind)s %(number)d cannot be sent again. Take back or correct what is "
                "left from the page of notification %(of)d."
            )
            % {
                "kind": first.get_channel_display(),
                "number": first.pk,
                "of": first.amends_id,
            }
        )
    is_sending = first.deliveries.filter(status=Delivery.Status.SENDING).exists()
    if not first.has_ended or is_sending:
        raise WrongState(first.pk, "sent again")
    check_not_after(not_after, None)
    check_sendable(first)
    require_sender(user, first)
    resend = _copy(user, first, token=token or uuid.uuid4(), not_after=not_after)
    resend.audience_values = _insert(resend, first, kind)
    resend.audience_count = len(resend.audience_values)
    parts = resend.deliveries.order_by().values_list("recipients", flat=True).distinct()
    resend.recipients = join_recipients(_members_in(first, parts))
    resend.save(update_fields=["audience_values", "audience_count", "recipients"])
    # The inserted rows are compared: a sync may change a group at any moment.
    rows = resend.deliveries.values_list(
        "group_id", "portion", "recipients", "group_name", "group_type"
    )
    if _digest(resend, rows) != digest:
        raise ValidationError(
            _("The groups changed after this page was shown. Look again, then send.")
        )
    resend.start()
    audit_log.write(
        RESENT,
        user.get_username(),
        notification=resend.pk,
        channel=resend.channel,
        of=first.pk,
        kind=kind.value,
        groups=resend.audience_count,
        deliveries=resend.deliveries.count(),
        digest=digest,
        not_after=not_after and not_after.isoformat(),
    )
    return resend


def _insert(resend: Notification, first: Notification, kind: ResendKind) -> list[str]:
    """Insert the deliveries of a resend; return the group IDs."""
    group_ids_of = defaultdict(list)
    recipients_of = {}
    for group_id, portion, recipients in resendable_deliveries(first, kind).values_list(
        "group_id", "portion", "recipients"
    ):
        group_ids_of[portion].append(group_id)
        recipients_of[portion] = recipients
    if not group_ids_of:
        raise ValidationError(
            _("There is no group left that this could be sent to again.")
        )
    chosen = sorted({i for ids in group_ids_of.values() for i in ids})
    audience = build_audience(
        Kind.CHOSEN,
        chosen,
        names_members=bool(first.recipients),
        channel=first.channel,
        options=first.options,
    )
    check_audience(audience)
    group_pks = dict(
        audience.included_groups().order_by().values_list("group_id", "pk")
    )
    now = timezone.now()
    for portion, group_ids in sorted(group_ids_of.items()):
        insert_deliveries(
            resend,
            # Fewer if a group was switched off since ``check_audience``: another digest.
            [group_pks[group_id] for group_id in group_ids if group_id in group_pks],
            portion=portion,
            recipients=recipients_of[portion],
            now=now,
        )
    return chosen


def _copy(
    user: User, first: Notification, *, token: uuid.UUID, not_after: datetime | None
) -> Notification:
    return Notification.objects.create(
        token=token,
        sender=user,
        sender_name=user.get_username(),
        by_superuser=user.is_superuser,
        **{
            name: getattr(first, name)
            for name in column_names(Notification, Use.COPIED)
        },
        audience=Kind.CHOSEN,
        not_after=not_after,
        resend_of=first,
    )


def _members_in(first: Notification, parts: Iterable[str]) -> list[str]:
    """The members of these parts, without those of parts that are not sent again."""
    members = {member for part in parts for member in part.splitlines()}
    return [member for member in first.recipient_ids or () if member in members]


def _digest(notification: Notification, rows: Iterable[Row]) -> str:
    values = [
        notification.content,
        notification.note,
        notification.channel,
        notification.message_options,
        sorted(rows),
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
