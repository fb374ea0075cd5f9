"""Sending a checked draft, and the controls over a running notification."""

from collections.abc import Iterator, Sequence
from itertools import islice

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import roles
from notifications.models import AuditEntry, ChatGroup, Delivery, Notification
from notifications.models.notifications import join_recipients
from notifications.record import trail
from notifications.selectors.audiences import Audience

from .permissions import require, require_own
from .writing import check_type_rule, clean_audience

BLOCK = 2000


@transaction.atomic
def send(user: User, notification_id: int, *, digest: str) -> Notification:
    """Accept a draft for sending: a row per group, then one step to "sending".

    ``digest`` is the audience that the person saw on the Check page. A draft is sent
    once: for one that was sent already, the notification is returned unchanged, so
    that a double click, a reload and a second tab all land on the same page.

    Raises ``PermissionDenied``; ``ValidationError`` when a group was removed, switched
    off or changed its type since Check.
    """
    require(user, roles.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    require_own(user, notification)
    if notification.status != Notification.Status.DRAFT:
        return notification
    meant = clean_audience(notification.audience, notification.audience_values)
    check_type_rule(meant, notification.recipient_ids)
    if meant.digest != digest:
        raise ValidationError(
            _(
                "The groups changed since you checked: now there are %(n)d. Look "
                "again, then send."
            )
            % {"n": len(meant.groups)}
        )
    _make_deliveries(notification, meant)
    notification.audience_count = len(meant.groups)
    notification.audience_digest = digest
    notification.save(update_fields=["audience_count", "audience_digest"])
    notification.start()
    trail.write(
        AuditEntry.Action.SENT,
        user.get_username(),
        notification=notification.pk,
        groups=len(meant.groups),
        digest=digest,
    )
    return notification


def portions(recipients: Sequence[str] | None) -> list[str]:
    """The recipients of each call in stored form; ``[""]`` for everyone.

    At most ``IM_RECIPIENTS_PER_CALL`` a call: texts of Tencent name 500 and, since
    2025, 50 (https://www.tencentcloud.com/zh/document/product/1047/34958).
    """
    if recipients is None:
        return [""]
    size = settings.IM_RECIPIENTS_PER_CALL
    return [
        join_recipients(recipients[start : start + size])
        for start in range(0, len(recipients), size)
    ]


def _make_deliveries(notification: Notification, meant: Audience) -> None:
    parts = portions(notification.recipient_ids)
    now = timezone.now()

    def rows(groups: Sequence[ChatGroup]) -> Iterator[Delivery]:
        for group in groups:
            for number, recipients in enumerate(parts, start=1):
                yield Delivery(
                    notification=notification,
                    group_id=group.group_id,
                    group_name=group.name,
                    group_type=group.type,
                    sender_name=notification.sender_name,
                    portion=number,
                    recipients=recipients,
                    not_before=now,
                    created_at=now,
                )

    to_make = rows(meant.groups)
    while block := list(islice(to_make, BLOCK)):
        Delivery.objects.bulk_create(block)


@transaction.atomic
def pause(user: User, notification_id: int) -> Notification:
    """Hold a running notification; calls already under way still end."""
    notification = _controlled(user, notification_id)
    notification.pause(Notification.PauseReason.PERSON, by=user.get_username())
    trail.write(
        AuditEntry.Action.PAUSED, user.get_username(), notification=notification.pk
    )
    return notification


@transaction.atomic
def resume(user: User, notification_id: int) -> Notification:
    """Go on with a paused notification."""
    notification = _controlled(user, notification_id)
    notification.resume()
    Delivery.objects.filter(
        notification=notification, status=Delivery.Status.QUEUED
    ).update(not_sent_streak=0, not_before=timezone.now())
    trail.write(
        AuditEntry.Action.RESUMED, user.get_username(), notification=notification.pk
    )
    return notification


@transaction.atomic
def stop(user: User, notification_id: int) -> Notification:
    """Cancel what is still waiting; calls already under way still end.

    A waiting delivery that was refused before keeps that verdict: it ends failed.
    """
    notification = _controlled(user, notification_id)
    notification.cancel()
    ended = notification.deliveries.cancel_waiting(timezone.now())
    trail.write(
        AuditEntry.Action.STOPPED,
        user.get_username(),
        notification=notification.pk,
        **ended,
    )
    return notification


def _controlled(user: User, notification_id: int) -> Notification:
    require(user, roles.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    require_own(user, notification)
    return notification
