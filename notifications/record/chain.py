"""The chain of seals: digests of texts, each seal with the head of the previous one.

A seal covers a finished notification (``sealing``), a range of the audit trail
(``trail``) or an archive (``archive``). A copy of the head of a seal, kept outside of
this installation, proves later that nothing up to that seal has changed.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from notifications.models import Seal, Tally
from notifications.record.canonical_text import Row, iso_time, json_line
from notifications.record.leaves import LEAF, digest_of_leaves
from notifications.record.queries import newest_seal

Pause = Callable[[], object]


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
    leaves = bytearray()
    digest = digest_into(text, leaves.extend)
    return Digest(digest, bytes(leaves), len(leaves) // LEAF.size)


def digest_into(text: Iterable[Row], write_leaf: Callable[[bytes], object]) -> str:
    """As above; pass the leaf of each line to ``write_leaf``."""
    whole = hashlib.sha256()
    for number, content in text:
        whole.update(content)
        if number:
            write_leaf(LEAF.pack(number, hashlib.sha256(content).digest()[:4]))
    return whole.hexdigest()


def append(seal: Seal, digest: Digest, tallies: list[Tally]) -> Seal:
    """Write the result counts, and the seal as the successor of the newest one.

    Raises ``SealedByAnother``.
    """
    seal.digest, seal.leaves, seal.rows = digest.digest, digest.leaves, digest.rows
    seal.sealed_at = timezone.now()
    try:
        with transaction.atomic():
            last = newest_seal()
            seal.number = last.number + 1 if last else 1
            seal.previous = last.head if last else ""
            seal.head = head_of(seal, tallies)
            seal.save(force_insert=True)
            Tally.objects.bulk_create(tallies)
    except IntegrityError:
        if Seal.objects.filter(Q(number=seal.number) | _covers_the_same(seal)).exists():
            raise SealedByAnother from None
        raise
    return seal


def _covers_the_same(seal: Seal) -> Q:
    if seal.notification_id is not None:
        return Q(notification_id=seal.notification_id)
    if seal.archive_id is not None:
        return Q(archive_id=seal.archive_id)
    return Q(first_entry=seal.first_entry)


def head_of(seal: Seal, tallies: Iterable[Tally]) -> str:
    return hashlib.sha256(seal_line(seal, tallies)).hexdigest()


def seal_line(seal: Seal, tallies: Iterable[Tally]) -> bytes:
    """The line whose SHA-256 is the head of this seal.

    Format 1 has no name in it: release 0.1.0 knew no other.
    """
    text_format = {} if seal.text_format == 1 else {"format": seal.text_format}
    return json_line(
        {
            **text_format,
            "number": seal.number,
            "kind": seal.kind,
            "notification": seal.notification_id,
            "archive": seal.archive_id,
            "first_entry": seal.first_entry,
            "last_entry": seal.last_entry,
            "rows": seal.rows,
            "digest": seal.digest,
            "leaves": digest_of_leaves(seal),
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
