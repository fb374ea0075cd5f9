"""Sending a checked draft: from here on the workers make its calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.audiences.audience import Audience, audience_of, digest_of
from notifications.audiences.validation import check_audience
from notifications.compose.audit_events import SENT
from notifications.compose.recipients import portions
from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.delivery.audit_events import SCHEDULED
from notifications.delivery.schedule import check_not_after, check_start
from notifications.models import Notification
from notifications.permissions import require, require_own

# An entry of the audit trail stays readable; the number of all is beside them.
LEFT_OUT_NAMED = 1000


@dataclass(frozen=True, slots=True)
class SendTimes:
    """``start`` is ``None`` for at once; no call starts after ``not_after``."""

    start: datetime | None = None
    not_after: datetime | None = None


AT_ONCE = SendTimes()


@transaction.atomic
def send(
    user: User, notification_id: int, *, digest: str, when: SendTimes = AT_ONCE
) -> Notification:
    """Accept a draft for sending: a row per group, then one step to sending.

    ``digest`` is the audience that the person saw on the Check page. A draft is sent
    once: for one that was sent already, the notification is returned unchanged, so
    that a double click, a reload and a second tab all land on the same page. All of it
    is one transaction, so a crash leaves the draft as it was.

    Raises ``PermissionDenied``; ``ValidationError`` when a group was removed, switched
    off or changed its type since Check, or for a time that cannot be (``start``,
    ``not_after``).
    """
    require(user, permissions.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    require_own(user, notification)
    if notification.status != Notification.Status.DRAFT:
        return notification
    check_start(when.start)
    check_not_after(when.not_after, when.start)
    audience = audience_of(notification)
    check_audience(audience)
    if audience.digest != digest:
        raise _groups_changed(audience.count)
    _make_deliveries(notification, audience)
    notification.audience_count = audience.count
    notification.audience_digest = digest
    notification.not_after = when.not_after
    notification.by_superuser = user.is_superuser
    notification.save(
        update_fields=[
            "audience_count",
            "audience_digest",
            "not_after",
            "by_superuser",
        ]
    )
    if when.start is None:
        notification.start()
    else:
        notification.schedule(when.start)
    audit_log.write(
        SENT if when.start is None else SCHEDULED,
        user.get_username(),
        notification=notification.pk,
        groups=audience.count,
        digest=digest,
        **_meant(audience),
        start=when.start and when.start.isoformat(),
        not_after=when.not_after and when.not_after.isoformat(),
    )
    return notification


def _meant(audience: Audience) -> dict[str, Any]:
    """The rule as it was, which groups do not get it, and why.

    An auditor asks that years later, when all of it has changed.
    """
    count = sum(audience.excluded.values())
    named = audience.excluded_groups().values("group_id", "name", "reason")
    return {
        **({"rule": audience.rule.as_json()} if audience.rule else {}),
        "left_out_count": count,
        "left_out": list(named[:LEFT_OUT_NAMED]) if count else [],
    }


def _groups_changed(count: int) -> ValidationError:
    return ValidationError(
        _(
            "The groups changed since you checked; now it would go to %(n)d. Look "
            "again, then send."
        )
        % {"n": count}
    )


def _make_deliveries(notification: Notification, audience: Audience) -> None:
    groups = audience.group_pks()
    now = timezone.now()
    for number, recipients in enumerate(portions(notification.recipient_ids), start=1):
        insert_deliveries(
            notification, groups, portion=number, recipients=recipients, now=now
        )
        # A sync may have changed a group between one question and the next: what
        # counts is what the rows say.
        rows = notification.deliveries.filter(portion=number)
        if digest_of(rows, "group_id", "group_type") != audience.digest:
            raise _groups_changed(rows.count())
