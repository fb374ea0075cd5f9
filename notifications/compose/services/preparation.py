"""Creates the deliveries of a large send on SQLite in several transactions.

SQLite has one write lock. One transaction of 1,000,000 deliveries would hold it for 15 s:
longer than other processes wait for it, so pages would fail and a running send would
stop. So the deliveries are inserted in blocks while the notification is still a draft,
with pauses for other writers. Deliveries of a draft are not history
(``DeliveryQuerySet.history``), and no worker claims them. The last transaction, in
``send``, checks the rights and the draft again and starts the notification.

A process that ends before it leaves deliveries of a draft. The worker removes them
(``discard_abandoned``); until then the draft can be neither sent nor deleted.

On PostgreSQL writers do not wait for each other, and one transaction creates all rows.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.audiences.audience import Audience, audience_of
from notifications.audiences.validation import check_audience
from notifications.compose.checked import ChangedSinceCheck, Checked, checked_of
from notifications.compose.message_options import check_sendable
from notifications.compose.recipients import portions
from notifications.compose.services.create_deliveries import create_deliveries
from notifications.compose.services.sender_check import require_sender
from notifications.db.snapshot import snapshot
from notifications.db.sql import quoted_table
from notifications.delivery.background import BackgroundTask
from notifications.delivery.channels import CHANNELS
from notifications.delivery.threads import PREPARATIONS
from notifications.models import ChatGroup, Delivery, Notification, Preparation
from notifications.permissions import require, require_own_draft
from notifications.record.guards import install as guards_install

logger = logging.getLogger(__name__)

# A send of more deliveries is prepared in blocks.
LARGE = 100_000
# Deliveries in one transaction, which takes about 30 ms, as long as the pause after it.
BLOCK = 2000
# Removing is faster, but removes and installs the guards for each block.
REMOVED_BLOCK = 10_000
# Another process ends a preparation without activity.
ABANDONED_AFTER = timedelta(minutes=2)
CLEANUP_EVERY = 30.0
CLEANUP_PAUSE = 0.2


class BeingPrepared(ValidationError):
    """The deliveries of the draft are being created, or removed after a crash."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This message is being sent: its deliveries are being created. Wait a few "
                "minutes, then look again. Nothing is sent twice."
            )
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft in one ``version`` whose deliveries are those that ``checked`` describes."""

    preparation: Preparation
    version: int
    audience: Audience
    checked: Checked

    def finish(self, user: User, draft: Notification) -> None:
        """End the preparation in the transaction that starts the notification.

        Raises ``ChangedSinceCheck`` if the draft or its sender has changed meanwhile, or
        if another process has ended the preparation.
        """
        values = self.checked.values
        is_unchanged = (
            draft.version == self.version
            and user.get_username() == values["sender"]
            and user.is_superuser == values["by_superuser"]
        )
        removed, _by_model = _rows_of(self.preparation).delete()
        if not (removed and is_unchanged):
            raise ChangedSinceCheck


@contextmanager
def prepared(
    user: User, notification_id: int, *, digest: str
) -> Iterator[Prepared | None]:
    """Create the deliveries of a large send; remove them if the block fails.

    ``None`` if one transaction can create them, and for a notification that was sent.
    The block calls ``Prepared.finish``. Raises as ``send``.
    """
    preparation = _begin(user, notification_id) if _is_large(notification_id) else None
    if preparation is None:
        yield None
        return
    try:
        yield _prepare(user, preparation, digest)
    except BaseException:
        try:
            _discard(preparation, time.sleep)
        except DatabaseError:
            logger.exception(
                "The worker removes the deliveries of draft %d.", notification_id
            )
        raise


def require_unprepared(draft: Notification) -> None:
    """Raise ``ValidationError`` if the draft has deliveries, or gets them now."""
    if Preparation.objects.filter(pk=draft.pk).exists():
        raise BeingPrepared
    if draft.deliveries.exists():  # inserted by SQL; sending inserts all of them
        raise ValidationError(
            _("This draft has deliveries that sending did not create. Write it again.")
        )


def cleanup_task(*, every: float = CLEANUP_EVERY) -> BackgroundTask:
    """Return the task that removes the deliveries of interrupted sends."""
    return BackgroundTask(
        PREPARATIONS,
        lambda task: discard_abandoned(lambda _seconds: task.pause()),
        every=every,
        pause_seconds=CLEANUP_PAUSE,
    )


def discard_abandoned(pause: Callable[[float], object]) -> None:
    """Remove the deliveries of drafts whose sending process has ended."""
    old = timezone.now() - ABANDONED_AFTER
    for preparation in Preparation.objects.filter(active_at__lt=old):
        token = uuid.uuid4()
        if _rows_of(preparation).update(token=token, active_at=timezone.now()):
            logger.warning(
                "Sending draft %d was interrupted; its deliveries are removed.",
                preparation.pk,
            )
            preparation.token = token
            _discard(preparation, pause)


def _is_large(notification_id: int) -> bool:
    if connection.vendor != "sqlite":
        return False
    draft = Notification.objects.filter(
        pk=notification_id, status=Notification.Status.DRAFT
    ).first()
    if draft is None:
        return False
    calls = len(portions(draft.recipient_ids, CHANNELS[draft.channel]))
    if ChatGroup.objects.count() * calls <= LARGE:
        return False
    return audience_of(draft).count * calls > LARGE


@transaction.atomic
def _begin(user: User, notification_id: int) -> Preparation | None:
    user = require(user, permissions.SEND)
    draft = Notification.objects.select_for_update().get(pk=notification_id)
    if draft.status != Notification.Status.DRAFT:
        return None
    require_own_draft(user, draft)
    require_unprepared(draft)
    require_sender(user, draft)
    return Preparation.objects.create(notification=draft)


def _prepare(user: User, preparation: Preparation, digest: str) -> Prepared:
    # In a snapshot, since a transaction would hold the write lock.
    with snapshot():
        draft = Notification.objects.get(pk=preparation.pk)
        user = User.objects.get(pk=user.pk)
        audience = audience_of(draft)
        check_sendable(draft)
        check_audience(audience)
        checked = checked_of(user, draft, audience)
        groups = audience.group_pks()
    if checked.digest() != digest:
        raise ChangedSinceCheck
    draft.sender_name = user.get_username()  # as ``send`` stores it
    create_deliveries(
        draft,
        groups,
        checked.groups,
        block=BLOCK,
        around_block=lambda: _block(preparation, time.sleep),
        around_comparison=snapshot,
    )
    return Prepared(preparation, draft.version, audience, checked)


@contextmanager
def _block(
    preparation: Preparation, pause: Callable[[float], object]
) -> Iterator[None]:
    """One transaction of a preparation, and a pause of the same length after it.

    Raises ``ChangedSinceCheck`` if another process has ended the preparation.
    """
    start = time.monotonic()
    with transaction.atomic():
        if not _rows_of(preparation).update(active_at=timezone.now()):
            raise ChangedSinceCheck
        yield
    pause(time.monotonic() - start)


def _discard(preparation: Preparation, pause: Callable[[float], object]) -> None:
    """Remove the deliveries; nothing if another process has ended the preparation."""
    removed = -1
    while removed and _rows_of(preparation).exists():
        try:
            with _block(preparation, pause):
                removed = _remove_block(preparation.pk)
                if not removed:
                    _rows_of(preparation).delete()
        except ChangedSinceCheck:
            return


def _remove_block(notification: int) -> int:
    """Only of a draft, whatever the table of preparations contains."""
    deliveries = quoted_table(Delivery)
    sql = (
        f"DELETE FROM {deliveries} WHERE id IN (SELECT d.id FROM {deliveries} AS d "  # noqa: S608  names of the models
        f"JOIN {quoted_table(Notification)} AS n ON n.id = d.notification_id "
        "WHERE n.id = %s AND n.status = %s LIMIT %s)"
    )
    with guards_install.guards_disabled(), connection.cursor() as cursor:
        cursor.execute(sql, [notification, Notification.Status.DRAFT, REMOVED_BLOCK])
        return int(cursor.rowcount)


def _rows_of(preparation: Preparation) -> QuerySet[Preparation]:
    """The row, unless another process has ended the preparation."""
    return Preparation.objects.filter(pk=preparation.pk, token=preparation.token)
