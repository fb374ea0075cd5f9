"""Hands drafts over to colleagues."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.compose.audit_events import HANDED_OVER
from notifications.compose.services.drafts import DraftChanged
from notifications.models import AuditEntry, Notification
from notifications.permissions import require, require_own_draft, users_with


@transaction.atomic
def hand_over(user: User, notification_id: int, *, to: User, version: int) -> None:
    """Give a draft to a colleague, who is then the only person who may open and send it.

    Its sender does that; a superuser if the sender can no longer send. Raises
    ``PermissionDenied``; ``ValidationError`` if ``to`` may not send; ``DraftChanged`` if
    the draft has another version; ``Notification.DoesNotExist`` if it is not a draft.
    """
    # The receiver as well: the right to send must not end before the commit.
    permissions.lock_people([user.pk, to.pk])
    user = require(user, permissions.SEND)
    draft = Notification.objects.select_for_update().get(
        pk=notification_id, status=Notification.Status.DRAFT
    )
    require_hand_over(user, draft)
    if draft.version != version:
        raise DraftChanged(draft)
    receiver = receivers_of(draft).filter(pk=to.pk).first()
    if receiver is None:
        raise ValidationError({"to": _("This person may not send. Choose another.")})
    audit_log.write(
        HANDED_OVER,
        user.get_username(),
        notification=draft.pk,
        of=draft.sender.get_username(),
        to=receiver.get_username(),
    )
    draft.sender = receiver
    draft.sender_name = receiver.get_username()
    draft.save(update_fields=["sender", "sender_name"])


def require_hand_over(user: User, draft: Notification) -> None:
    """Raise ``PermissionDenied`` if ``user`` cannot hand this draft over."""
    if not (user.is_superuser and ownerless_drafts().filter(pk=draft.pk).exists()):
        require_own_draft(user, draft)


def receivers_of(draft: Notification) -> QuerySet[User]:
    """The people to whom the draft can be handed over."""
    return users_with(permissions.SEND).exclude(pk=draft.sender_id)


def ownerless_drafts() -> QuerySet[Notification]:
    """The drafts of people who can no longer log in or send."""
    return Notification.objects.filter(status=Notification.Status.DRAFT).exclude(
        sender__in=users_with(permissions.SEND).order_by()
    )


def handed_over_by(drafts: Iterable[Notification]) -> dict[int | None, str]:
    """Who handed each draft over to its present sender, by the number of the draft."""
    entries = AuditEntry.objects.filter(
        notification_number__in=[draft.pk for draft in drafts],
        action=HANDED_OVER.word,
    )
    return dict(entries.order_by("id").values_list("notification_number", "actor"))


def receiver_of(user: User, notification_id: int) -> str | None:
    """The username of the person to whom ``user`` has just handed this draft over.

    ``None`` if the last person who handed it over is another one.
    """
    entries = AuditEntry.objects.filter(
        notification_number=notification_id, action=HANDED_OVER.word
    )
    last = entries.order_by("-id").first()
    if last is None or last.actor != user.get_username():
        return None
    receiver: str = last.detail["to"]
    return receiver
