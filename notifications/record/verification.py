"""Compare the record with its seals, and name the first row of each that differs.

Every seal is checked in order: its link to the previous seal, its head, and the text that
it covers. Together with a copy of a head kept outside of this installation, this proves
that nothing up to that seal was changed. It cannot detect changes of rows that are not
sealed yet, nor the removal of the last seals unless ``expect`` names a head.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from notifications.files import sha256
from notifications.models import Archive, Delivery, Notification, Seal, Tally
from notifications.record.canonical_text import Row, rows, rows_of_file
from notifications.record.result_counts import count_results
from notifications.record.sealing import (
    LEAF,
    action_rows,
    digest_of,
    seal_line,
    sealable,
    tally_line,
)


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
            difference = _difference_of_head(seal)
        if difference:
            verification.differences.append(difference)
        verification.head = seal.head
        yield seal


def _difference_of_head(seal: Seal) -> str:
    """Whether the seal or its result counts were changed; empty if neither was."""
    number = seal.notification_id
    stored = list(Tally.objects.filter(notification_id=number)) if number else []
    if hashlib.sha256(seal_line(seal, stored)).hexdigest() == seal.head:
        return ""
    if number:
        recounted = count_results([number])
        if hashlib.sha256(seal_line(seal, recounted)).hexdigest() == seal.head:
            before, after = (Counter(map(tally_line, t)) for t in (recounted, stored))
            lines = "; ".join([*(after - before), *(before - after)])
            return f"notification {number}: its tallies were changed ({lines})."
    return f"seal {seal.number} was changed."


def _difference(seal: Seal, folder: Path | None, verification: Verification) -> str:
    """The first difference of the rows that this seal covers; empty for none."""
    number = seal.notification_id
    if number is None:
        if seal.since is None or seal.until is None:
            raise ValueError("A seal over actions has no period.")
        entries = action_rows(seal.since, seal.until)
        return _compare(seal, entries, "audit entry", "the audit trail")
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
