"""Sealing of notifications, and of everything that is due.

A notification is sealed when it has ended and no call for it is open any more.
"""

from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import Delivery, Notification, Seal
from notifications.record.canonical_text import rows
from notifications.record.chain import Pause, SealedByAnother, append, digest_of
from notifications.record.creation import log_once, problem_before_sealing
from notifications.record.result_counts import count_results
from notifications.record.trail import Horizon, seal_trail


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
        status__in=Notification.ENDED,
        seal__isnull=True,
    ).order_by("finished_at", "pk")


def seal_ended(*, pause: Pause = lambda: None) -> int:
    """Seal all sealable notifications; return their number. Raises ``SealedByAnother``.

    A notification that sending has not created is logged and not sealed.
    """
    count = 0
    for number in sealable().values_list("pk", flat=True).iterator(chunk_size=100):
        if problem := problem_before_sealing(number):
            log_once(problem)
            continue
        seal_notification(Notification.objects.get(pk=number), pause=pause)
        count += 1
    return count


def refused() -> list[int]:
    """Numbers of the ended notifications that are not sealed because of a problem."""
    numbers = sealable().values_list("pk", flat=True)
    return [number for number in numbers if problem_before_sealing(number)]


def seal_notification(
    notification: Notification, *, pause: Pause = lambda: None
) -> Seal:
    """Count and seal one notification. Raises ``SealedByAnother``.

    Its rows are read without a lock: they are frozen.
    """
    seal = Seal(kind=Seal.Kind.NOTIFICATION, notification=notification)
    digest = digest_of(rows(notification, pause=pause))
    return append(seal, digest, count_results([notification.pk]))
