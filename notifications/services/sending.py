"""Sending a checked draft: from here on the workers make its calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import roles
from notifications.models import AuditEntry, Notification
from notifications.models.notifications import join_recipients
from notifications.record import trail
from notifications.selectors.audiences import Audience, left_out

from .permissions import require, require_own
from .rows import insert_deliveries
from .times import check_not_after, check_start
from .writing import check_type_rule, clean_audience

# An entry of the audit trail stays readable; the number of all is beside them.
LEFT_OUT_NAMED = 1000


@dataclass(frozen=True, slots=True)
class When:
    """``start`` is ``None`` for at once; no call starts after ``not_after``."""

    start: datetime | None = None
    not_after: datetime | None = None


AT_ONCE = When()


@transaction.atomic
def send(
    user: User, notification_id: int, *, digest: str, when: When = AT_ONCE
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
    require(user, roles.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    require_own(user, notification)
    if notification.status != Notification.Status.DRAFT:
        return notification
    check_start(when.start)
    check_not_after(when.not_after, when.start)
    meant = clean_audience(notification.audience, notification.audience_values)
    check_type_rule(meant, notification.recipient_ids)
    if meant.digest != digest:
        raise _groups_changed(len(meant.groups))
    _make_deliveries(notification, meant)
    notification.audience_count = len(meant.groups)
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
    trail.write(
        AuditEntry.Action.SENT if when.start is None else AuditEntry.Action.SCHEDULED,
        user.get_username(),
        notification=notification.pk,
        groups=len(meant.groups),
        digest=digest,
        **_left_out(notification),
        start=when.start and when.start.isoformat(),
        not_after=when.not_after and when.not_after.isoformat(),
    )
    return notification


def _left_out(notification: Notification) -> dict[str, Any]:
    """Which groups do not get it, and why; an auditor asks that years later."""
    rows = left_out(notification.audience, notification.audience_values)
    return {
        "left_out_count": rows.count(),
        "left_out": list(rows.values("group_id", "name", "state")[:LEFT_OUT_NAMED]),
    }


def _groups_changed(count: int) -> ValidationError:
    return ValidationError(
        _(
            "The groups changed since you checked; now it would go to %(n)d. Look "
            "again, then send."
        )
        % {"n": count}
    )


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
    groups = [group.pk for group in meant.groups]
    now = timezone.now()
    for number, recipients in enumerate(portions(notification.recipient_ids), start=1):
        made = insert_deliveries(
            notification, groups, portion=number, recipients=recipients, now=now
        )
        if made != len(groups):
            raise _groups_changed(made)
