"""Sends a checked draft: creates its deliveries, which the workers process."""

from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from notifications import audit_log, permissions
from notifications.audiences.audience import Audience, audience_of
from notifications.audiences.validation import check_audience
from notifications.audit_log import MAX_NAMED
from notifications.compose.audit_events import SENT
from notifications.compose.checked import ChangedSinceCheck, Checked, checked_of
from notifications.compose.message_options import check_sendable
from notifications.compose.services.create_deliveries import create_deliveries
from notifications.compose.services.preparation import (
    Prepared,
    prepared,
    require_unprepared,
)
from notifications.compose.services.sender_check import require_sender
from notifications.delivery.audit_events import SCHEDULED
from notifications.delivery.schedule import check_not_after, check_start
from notifications.models import Notification
from notifications.permissions import require, require_control, require_own_draft


@dataclass(frozen=True, slots=True)
class SendTimes:
    """``start`` is ``None`` to send now; no call starts after ``not_after``."""

    start: datetime | None = None
    not_after: datetime | None = None


SEND_NOW = SendTimes()


def send(
    user: User, notification_id: int, *, digest: str, when: SendTimes = SEND_NOW
) -> Notification:
    """Create the deliveries of a draft and start or schedule it, sent by ``user``.

    ``digest`` is the one of ``checked_of`` that the Check page showed. A draft is sent
    once: a notification that has been sent is returned unchanged, so that a double click,
    a reload and a second tab all show the same page. One transaction covers all changes,
    so that a crash leaves the draft unchanged; the deliveries of a large send on SQLite
    are created before it (``preparation``).

    Raises ``PermissionDenied``; ``ChangedSinceCheck``; ``BeingPrepared``;
    ``ValidationError`` if a group cannot be sent to any more, if the application may not
    send in this channel any more, if ``sender_check`` did not find the sender account, or
    for an invalid time (``start``, ``not_after``).
    """
    with prepared(user, notification_id, digest=digest) as large_send:
        return _send(user, notification_id, digest, when, large_send)


@transaction.atomic
def _send(
    user: User,
    notification_id: int,
    digest: str,
    when: SendTimes,
    large_send: Prepared | None,
) -> Notification:
    user = require(user, permissions.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    if notification.status != Notification.Status.DRAFT:
        require_control(user, notification)
        return notification
    require_own_draft(user, notification)
    check_start(when.start)
    check_not_after(when.not_after, when.start)
    check_sendable(notification)
    require_sender(user, notification)
    notification.sender = user
    notification.sender_name = user.get_username()
    notification.by_superuser = user.is_superuser
    if large_send:
        large_send.finish(user, notification)
        audience, checked = large_send.audience, large_send.checked
    else:
        require_unprepared(notification)
        audience = audience_of(notification)
        check_audience(audience)
        checked = checked_of(user, notification, audience)
        if checked.digest() != digest:
            raise ChangedSinceCheck
        create_deliveries(notification, audience.group_pks(), checked.groups)
    notification.audience_count = checked.groups.count
    notification.checked_digest = checked.digest(
        start=when.start, not_after=when.not_after
    )
    notification.not_after = when.not_after
    notification.save(
        update_fields=[
            "sender",
            "sender_name",
            "by_superuser",
            "audience_count",
            "checked_digest",
            "not_after",
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
        channel=notification.channel,
        groups=checked.groups.count,
        deliveries=notification.deliveries.count(),
        digest=notification.checked_digest,
        **_audience_detail(audience, checked),
        written_by=notification.written_by_name,
        start=when.start and when.start.isoformat(),
        not_after=when.not_after and when.not_after.isoformat(),
    )
    return notification


def _audience_detail(audience: Audience, checked: Checked) -> dict[str, Any]:
    """Details for the audit entry: the rule, and the first excluded groups with reasons.

    Auditors need them after the rule and the groups have changed. The digests cover all
    groups and are parts of the digest of the send.
    """
    excluded = (line.split("\t", 2) for line in checked.left_out.lines)
    by_name = sorted(excluded, key=itemgetter(2, 0))
    return {
        **({"rule": audience.rule.as_json()} if audience.rule else {}),
        "excepted": checked.values["excepted"][:MAX_NAMED],
        "excepted_digest": checked.excepted.digest,
        "excepted_count": checked.excepted.count,
        "groups_digest": checked.groups.digest,
        "left_out_digest": checked.left_out.digest,
        "left_out_count": checked.left_out.count,
        "left_out": [
            {"group_id": group_id, "name": name, "reason": reason}
            for group_id, reason, name in by_name[:MAX_NAMED]
        ],
    }
