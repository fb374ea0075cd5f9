"""Sealing of notifications, and of everything that is due.

A notification is sealed when it has ended, no call for it is open any more, and Tencent
is not queried about it any more.
"""

from django.db import DataError, IntegrityError
from django.db.models import Exists, OuterRef, QuerySet

from notifications.db.row_errors import ROW_ERRORS, is_outage
from notifications.models import Delivery, Notification, Seal, Tally
from notifications.record.canonical_text import FORMAT, rows
from notifications.record.chain import (
    Digest,
    Pause,
    SealedByAnother,
    append,
    digest_of,
)
from notifications.record.creation import problem_before_sealing
from notifications.record.result_counts import count_results
from notifications.record.trail import Horizon, report, seal_trail


class NotSealable(Exception):
    """The message names the notification and the problem of its rows."""


def seal_all() -> None:
    """Seal everything that is due; retry while another process writes seals."""
    while True:
        try:
            seal_due()
        except SealedByAnother:
            continue
        return


def seal_due(*, pause: Pause = lambda: None, horizon: Horizon | None = None) -> None:
    """Seal finished notifications and the audit trail.

    ``pause`` is called often while reading; an exception that it raises ends the sealing.
    ``horizon`` is that of the earlier calls. Raises ``SealedByAnother``.
    """
    seal_ended(pause=pause)
    seal_trail(pause=pause, horizon=horizon)


def sealable() -> QuerySet[Notification]:
    """Notifications that can be sealed: ended, with no open call, oldest first."""
    rows = Delivery.objects.filter(notification_id=OuterRef("pk"))
    return Notification.objects.filter(
        ~Exists(rows.filter(status=Delivery.Status.QUEUED)),
        ~Exists(rows.filter(status=Delivery.Status.SENDING)),
        ~Exists(rows.filter(next_query_at__isnull=False)),
        status__in=Notification.ENDED,
        seal__isnull=True,
    ).order_by("finished_at", "pk")


def seal_ended(*, pause: Pause = lambda: None) -> int:
    """Seal all sealable notifications; return their number. Raises ``SealedByAnother``.

    A notification that sending has not created, or whose rows cannot be read, is
    reported and not sealed: it prevents no other seal.
    """
    count = 0
    for number in sealable().values_list("pk", flat=True).iterator(chunk_size=100):
        try:
            _seal(number, pause)
        except NotSealable as problem:
            report(str(problem), notification=number)
        else:
            count += 1
    return count


def seal_notification(notification: Notification) -> Seal:
    """Count and seal one notification, without a check. Raises ``SealedByAnother``."""
    return _append(notification.pk, *_read(notification))


def _seal(number: int, pause: Pause) -> Seal:
    """Raises ``NotSealable`` and ``SealedByAnother``."""
    digest, tallies = content_to_seal(number, pause)
    try:
        return _append(number, digest, tallies)
    except (DataError, IntegrityError) as error:
        raise NotSealable(
            f"notification {number} cannot be sealed ({type(error).__name__})."
        ) from error


def content_to_seal(
    number: int, pause: Pause = lambda: None
) -> tuple[Digest, list[Tally]]:
    """Check and read one ended notification. Raises ``NotSealable``.

    Its rows are read without a lock: they are frozen.
    """
    try:
        problem = problem_before_sealing(number)
        if not problem:
            return _read(Notification.objects.get(pk=number), pause)
    except ROW_ERRORS as error:
        if is_outage():
            raise
        problem = f"notification {number} cannot be read ({type(error).__name__})."
    raise NotSealable(problem)


def _read(
    notification: Notification, pause: Pause = lambda: None
) -> tuple[Digest, list[Tally]]:
    digest = digest_of(rows(notification, pause=pause))
    return digest, count_results([notification.pk])


def _append(number: int, digest: Digest, tallies: list[Tally]) -> Seal:
    seal = Seal(kind=Seal.Kind.NOTIFICATION, notification_id=number, text_format=FORMAT)
    return append(seal, digest, tallies)
