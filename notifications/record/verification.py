"""Compare the record with its seals, and name the first row of each that differs.

Every seal is checked in order: its link to the previous seal, its head, and the text that
it covers; the seals of the audit trail together cover every id up to the last sealed one.
With a copy of a head kept outside of this installation, this proves that nothing up to
that seal was changed. It cannot detect changes of rows that are not sealed yet, nor the
removal of the last seals unless ``expect`` names a head.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from django.db import connection
from django.db.models import Count, Max

from notifications.files import sha256
from notifications.models import (
    Archive,
    AuditEntry,
    Delivery,
    Notification,
    Seal,
    Tally,
)
from notifications.record.canonical_text import Row, rows, rows_of_file
from notifications.record.chain import LEAF, digest_of, head_of, tally_line
from notifications.record.result_counts import count_results
from notifications.record.sealing import sealable
from notifications.record.trail import action_rows, last_id, unused_ids


@dataclass(slots=True)
class Verification:
    """``differences`` are sentences, at most one for the content of each seal."""

    differences: list[str] = field(default_factory=list)
    head: str = ""
    seals: int = 0
    notifications: int = 0  # whose rows were read and compared
    rows: int = 0
    archived: int = 0  # not read: no folder of archive files was passed
    unsealed: int = 0  # ended, but without a seal yet
    unsealed_entries: int = 0  # of the audit trail
    # Ids without an audit entry: first and last of each sealed gap, and their number
    # after the last seal.
    unused_ids: list[tuple[int, int]] = field(default_factory=list)
    unused_unsealed: int = 0
    next_entry: int = 1  # the first audit entry after the seals that were read

    @property
    def unchanged(self) -> bool:
        return not self.differences


def verify(
    *,
    notification: int | None = None,
    since: datetime | None = None,
    expect: str = "",
    archive: Path | None = None,
) -> Verification:
    """Compare the record with its seals.

    The chain is always checked from its start. With ``notification`` or ``since``, only
    the rows of that notification, or of seals written from then on, are read. ``expect``
    is a head that was kept elsewhere, or its first digits; ``archive`` is the folder of
    ``archive_history``.

    Raises ``OSError`` for an archive file that cannot be read.
    """
    verification = Verification(unsealed=sealable().count())
    heads = []
    for seal in _chain(verification):
        heads.append(seal.head)
        if notification is not None and seal.notification_id != notification:
            continue
        if since is not None and seal.sealed_at < since:
            continue
        if difference := _difference(seal, archive, verification):
            verification.differences.append(difference)
    _verify_unsealed_trail(verification)
    if expect and not any(head.startswith(expect) for head in heads):
        verification.differences.append(
            f"No seal has the head {expect}: seals were removed or made anew."
        )
    return verification


def _chain(verification: Verification) -> Iterator[Seal]:
    """Yield all seals in order; add differences of the chain itself."""
    for seal in Seal.objects.order_by("number").iterator(chunk_size=50):
        verification.seals += 1
        difference = ""
        if seal.number != verification.seals:
            difference = f"seal {verification.seals} is missing."
            verification.seals = seal.number
        elif seal.previous != verification.head:
            difference = f"seal {seal.number} does not follow seal {seal.number - 1}."
        else:
            difference = _difference_of_head(seal) or _difference_of_range(
                seal, verification.next_entry
            )
        if difference:
            verification.differences.append(difference)
        verification.head = seal.head
        verification.next_entry = (seal.last_entry or verification.next_entry - 1) + 1
        yield seal


def _difference_of_range(seal: Seal, next_entry: int) -> str:
    """Whether the seal continues the sealed range of the audit trail; empty if it does."""
    if seal.first_entry in (None, next_entry):
        return ""
    return (
        f"seal {seal.number} begins with audit entry {seal.first_entry} instead of "
        f"{next_entry}."
    )


def _verify_unsealed_trail(verification: Verification) -> None:
    """Count the entries after the seals; name entries whose ids were never assigned."""
    last = verification.next_entry - 1
    unsealed = AuditEntry.objects.filter(pk__gt=last).aggregate(
        count=Count("pk"), newest=Max("pk")
    )
    # Read after the entries: it only grows.
    assigned = last_id()
    outside = AuditEntry.objects.filter(pk__lt=1).order_by("pk").first()
    stranger = outside.pk if outside else unsealed["newest"]
    if stranger is not None and not 1 <= stranger <= assigned:
        verification.differences.append(
            f"audit entry {stranger} was added to the audit trail: the database has not "
            "assigned this number."
        )
    verification.unsealed_entries = unsealed["count"]
    verification.unused_unsealed = max(0, assigned - last - unsealed["count"])


def _difference_of_head(seal: Seal) -> str:
    """Whether the seal or its result counts were changed; empty if neither was."""
    number = seal.notification_id
    stored = list(Tally.objects.filter(notification_id=number)) if number else []
    if head_of(seal, stored) == seal.head:
        return ""
    if number:
        recounted = count_results([number])
        if head_of(seal, recounted) == seal.head:
            before, after = (Counter(map(tally_line, t)) for t in (recounted, stored))
            lines = "; ".join([*(after - before), *(before - after)])
            return f"notification {number}: its tallies were changed ({lines})."
    return f"seal {seal.number} was changed."


def _difference(seal: Seal, folder: Path | None, verification: Verification) -> str:
    """The first difference of the rows that this seal covers; empty for none."""
    number = seal.notification_id
    if number is None:
        return _difference_of_trail(seal, verification)
    subject = f"notification {number}"
    notification = Notification.objects.filter(pk=number).first()
    if notification is None:
        return f"{subject} is missing."
    archive = Archive.objects.filter(notification_id=number).first()
    if archive is not None:
        added = Delivery.objects.filter(notification_id=number).order_by("pk").first()
        if added is not None:
            return f"delivery {added.pk} was added to {subject}, which is archived."
        if folder is None:
            verification.archived += 1
            return ""
    verification.notifications += 1
    verification.rows += seal.rows
    if archive is None or folder is None:
        return _compare(seal, rows(notification), "delivery", subject)
    path = folder / archive.file_name
    if sha256(path) != archive.file_digest:
        return f"{path.name} is not the file that was archived."
    with gzip.open(path) as lines:
        # The first line comes from the database: both copies must match the seal.
        header = islice(rows(notification), 1)
        text = chain(header, islice(rows_of_file(lines), 1, None))
        return _compare(seal, text, "delivery", subject)


def _difference_of_trail(seal: Seal, verification: Verification) -> str:
    if seal.first_entry is None or seal.last_entry is None:
        raise ValueError("A seal over actions has no range.")
    entries = action_rows(seal.first_entry, seal.last_entry)
    if difference := _compare(seal, entries, "audit entry", "the audit trail"):
        return difference
    unused = list(unused_ids(seal))
    if unused and connection.vendor == "sqlite":
        # A rollback on SQLite returns its ids, so there was an entry.
        return (
            f"audit entry {unused[0][0]} was removed before the audit trail was sealed."
        )
    verification.unused_ids += unused
    return ""


def _compare(seal: Seal, text: Iterable[Row], row: str, subject: str) -> str:
    """The first difference of the text; ``row`` and ``subject`` name it in sentences."""
    digest = digest_of(text)
    if digest.digest == seal.digest:
        return ""
    before, after = _digests_by_row(seal.leaves), _digests_by_row(digest.leaves)
    for number in sorted({*before, *after}):
        if number not in after:
            return f"{row} {number} is missing from {subject}."
        if number not in before:
            return f"{row} {number} was added to {subject}."
        if len(before[number]) != len(after[number]):
            return f"{row} {number} of {subject} has another number of attempts."
        if before[number] != after[number]:
            return f"{row} {number} of {subject} was changed."
    return f"{subject} was changed: its first line, which says what was sent."


def _digests_by_row(leaves: bytes | memoryview) -> dict[int, list[bytes]]:
    digests: dict[int, list[bytes]] = {}
    for number, digest in LEAF.iter_unpack(leaves):
        digests.setdefault(number, []).append(digest)
    return digests
