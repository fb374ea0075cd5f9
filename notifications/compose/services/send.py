"""Sends a checked draft: creates its deliveries, which the workers process."""

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

# Limits the size of an audit entry, which also has the number of all excluded groups.
MAX_EXCLUDED_NAMED = 1000


@dataclass(frozen=True, slots=True)
class SendTimes:
    """``start`` is ``None`` to send now; no call starts after ``not_after``."""

    start: datetime | None = None
    not_after: datetime | None = None


SEND_NOW = SendTimes()


@transaction.atomic
def send(
    user: User, notification_id: int, *, digest: str, when: SendTimes = SEND_NOW
) -> Notification:
    """Create the deliveries of a draft and start or schedule it.

    ``digest`` identifies the audience that the Check page showed. A draft is sent once:
    a notification that has been sent is returned unchanged, so that a double click, a
    reload and a second tab all show the same page. One transaction covers all changes,
    so that a crash leaves the draft unchanged.

    Raises ``PermissionDenied``; ``ValidationError`` if a group was removed, switched
    off or changed its type since Check, or for an invalid time (``start``,
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
        **_audience_detail(audience),
        start=when.start and when.start.isoformat(),
        not_after=when.not_after and when.not_after.isoformat(),
    )
    return notification


def _audience_detail(audience: Audience) -> dict[str, Any]:
    """Details for the audit entry: the rule, and the excluded groups with reasons.

    Auditors need them after the rule and the groups have changed.
    """
    count = audience.excluded_count
    excluded = audience.excluded_groups().values("group_id", "name", "reason")
    return {
        **({"rule": audience.rule.as_json()} if audience.rule else {}),
        "left_out_count": count,
        "left_out": list(excluded[:MAX_EXCLUDED_NAMED]) if count else [],
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
        # A sync may have changed a group between two queries: the inserted rows are
        # compared.
        rows = notification.deliveries.filter(portion=number)
        if digest_of(rows, "group_id", "group_type") != audience.digest:
            raise _groups_changed(rows.count())
