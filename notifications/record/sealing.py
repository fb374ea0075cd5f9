"""Seals: digests of finished notifications and audit entries, chained to one another.

A notification is sealed when it has ended and no call for it is open any more; the
audit trail is sealed by days. A copy of the head of a seal, kept outside of this
installation, proves later that nothing up to that seal has changed.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from notifications.models import AuditEntry, Delivery, Notification, Seal, Tally
from notifications.record.canonical_text import Row, iso_time, json_line, rows
from notifications.record.queries import newest_seal
from notifications.record.result_counts import count_results

Pause = Callable[[], object]

# The number of a row and the first bytes of the digest of its line.
LEAF = struct.Struct(">q4s")
# Audit entries of a day may be committed this long after its end.
GRACE = timedelta(hours=1)


class SealedByAnother(Exception):
    """Another process wrote the next seal first. Nothing was written: try again."""

    def __init__(self) -> None:
        super().__init__("Another process has just written a seal. Seal again.")


@dataclass(frozen=True, slots=True)
class Digest:
    """``rows``: lines without the first; ``leaves`` as in ``Seal.leaves``."""

    digest: str
    leaves: bytes
    rows: int


def digest_of(text: Iterable[Row]) -> Digest:
    """SHA-256 over all lines, and a short digest of each, to locate a difference."""
    whole = hashlib.sha256()
    leaves = bytearray()
    for number, content in text:
        whole.update(content)
        if number:
            leaves += LEAF.pack(number, hashlib.sha256(content).digest()[:4])
    return Digest(whole.hexdigest(), bytes(leaves), len(leaves) // LEAF.size)


def seal_all() -> None:
    """Seal everything that is due; retry while another process writes seals."""
    while True:
        try:
            seal_due()
        except SealedByAnother:
            continue
        return


def seal_due(*, pause: Pause = lambda: None) -> None:
    """Seal finished notifications and the past days of the audit trail.

    ``pause`` is called often while reading; an exception that it raises ends the sealing.
    Raises ``SealedByAnother``.
    """
    seal_ended(pause=pause)
    seal_actions(timezone.now())


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
    """Seal all sealable notifications; return their number. Raises ``SealedByAnother``."""
    count = 0
    for notification in sealable().iterator(chunk_size=100):
        seal_notification(notification, pause=pause)
        count += 1
    return count


def seal_notification(
    notification: Notification, *, pause: Pause = lambda: None
) -> Seal:
    """Count and seal one notification. Raises ``SealedByAnother``.

    Its rows are read without a lock: they are frozen.
    """
    seal = Seal(kind=Seal.Kind.NOTIFICATION, notification=notification)
    digest = digest_of(rows(notification, pause=pause))
    return _append(seal, digest, count_results([notification.pk]))


def seal_actions(now: datetime) -> Seal | None:
    """Seal the unsealed audit entries of the days before today (UTC).

    Returns ``None`` if there are none. Raises ``SealedByAnother``.
    """
    until = datetime.combine((now - GRACE).astimezone(UTC), time.min, UTC)
    last = Seal.objects.filter(kind=Seal.Kind.ACTIONS).order_by("-number").first()
    if last is not None and last.until is not None:
        since = last.until
    else:
        first = AuditEntry.objects.order_by("at").first()
        since = first.at if first is not None else until
    if since >= until:
        return None
    seal = Seal(kind=Seal.Kind.ACTIONS, since=since, until=until)
    return _append(seal, digest_of(action_rows(since, until)), [])


def action_rows(since: datetime, until: datetime) -> Iterator[Row]:
    """Audit entries with since <= at < until, in order of their ids."""
    entries = AuditEntry.objects.filter(at__gte=since, at__lt=until).order_by("pk")
    for entry in entries.iterator(chunk_size=1000):
        yield entry.pk, action_line(entry)


def action_line(entry: AuditEntry) -> bytes:
    """Encode an audit entry as it is sealed, exported and put into the evidence."""
    return json_line(
        {
            "id": entry.pk,
            "at": iso_time(entry.at),
            "action": entry.action,
            "actor": entry.actor,
            "actor_name": entry.actor_name,
            "by_superuser": entry.by_superuser,
            "address": entry.address,
            "request": entry.request_number and str(entry.request_number),
            "notification": entry.notification_number,
            "delivery": entry.delivery_number,
            "detail": entry.detail,
        }
    )


def seal_line(seal: Seal, tallies: Iterable[Tally]) -> bytes:
    """The line whose SHA-256 is the head of this seal."""
    return json_line(
        {
            "number": seal.number,
            "kind": seal.kind,
            "notification": seal.notification_id,
            "since": iso_time(seal.since),
            "until": iso_time(seal.until),
            "rows": seal.rows,
            "digest": seal.digest,
            "leaves": hashlib.sha256(seal.leaves).hexdigest(),
            "tallies": sorted(tally_line(tally) for tally in tallies),
            "previous": seal.previous,
            "sealed_at": iso_time(seal.sealed_at),
        }
    )


def tally_line(tally: Tally) -> str:
    """Encode a result count for the seal's line: equal if and only if the counts are."""
    code = "-" if tally.error_code is None else tally.error_code
    return (
        f"{tally.count} {tally.group_type} {tally.status} {code} {tally.reason or '-'} "
        f"{tally.first_delivery} {tally.last_delivery} {iso_time(tally.created_at)} "
        f"{tally.sender_name}"
    )


def _append(seal: Seal, digest: Digest, tallies: list[Tally]) -> Seal:
    """Write the result counts, and the seal as the successor of the newest one."""
    seal.digest, seal.leaves, seal.rows = digest.digest, digest.leaves, digest.rows
    seal.sealed_at = timezone.now()
    try:
        with transaction.atomic():
            last = newest_seal()
            seal.number = last.number + 1 if last else 1
            seal.previous = last.head if last else ""
            seal.head = hashlib.sha256(seal_line(seal, tallies)).hexdigest()
            seal.save(force_insert=True)
            Tally.objects.bulk_create(tallies)
    except IntegrityError:
        # Both the number and the sealed notification are unique.
        raise SealedByAnother from None
    return seal
