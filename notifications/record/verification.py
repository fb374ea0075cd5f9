"""Whether the record is what was sealed; if not, the first row that differs.

Every seal is read again in its order: its place in the chain, its head, and the text
it was made over. What this proves: nothing up to the newest seal was changed since it
was made, as long as somebody outside kept a head. What it cannot see: rows that are
not sealed yet, and a chain that was cut at its end, unless ``expect`` names a head.
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
    due,
    seal_line,
    tally_line,
)


@dataclass(slots=True)
class Verification:
    """``differences`` are sentences; each seal gives the first one it has."""

    differences: list[str] = field(default_factory=list)
    head: str = ""
    seals: int = 0
    notifications: int = 0  # whose rows were read and compared
    rows: int = 0
    archived: int = 0  # whose file was not given, so not read
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

    The chain is followed from its start in any case. With ``notification`` or
    ``since`` only the rows of that notification, or of what was sealed from then on,
    are read. ``expect`` is a head that somebody kept, or how it begins; ``archive``
    the folder of ``archive_history``.

    Raises ``OSError`` for an archived file that cannot be read.
    """
    found = Verification(unsealed=due().count())
    heads = []
    for seal in _chain(found):
        heads.append(seal.head)
        is_wanted = (notification is None or seal.notification_id == notification) and (
            since is None or seal.sealed_at >= since
        )
        if is_wanted and (problem := _difference(seal, archive, found)):
            found.differences.append(problem)
    if expect and not any(head.startswith(expect) for head in heads):
        found.differences.append(
            f"No seal has the head {expect}: seals were removed or made anew."
        )
    return found


def _chain(found: Verification) -> Iterator[Seal]:
    """All seals in order; what is wrong with the chain itself goes into ``found``."""
    for seal in Seal.objects.order_by("number").iterator(chunk_size=50):
        found.seals += 1
        problem = ""
        if seal.number != found.seals:
            problem = f"seal {found.seals} is missing."
            found.seals = seal.number
        elif seal.previous != found.head:
            problem = f"seal {seal.number} does not follow seal {seal.number - 1}."
        else:
            line = seal_line(seal, _tallies(seal))
            if hashlib.sha256(line).hexdigest() != seal.head:
                problem = _changed_seal(seal)
        if problem:
            found.differences.append(problem)
        found.head = seal.head
        yield seal


def _tallies(seal: Seal) -> list[Tally]:
    if seal.notification_id is None:
        return []
    return list(Tally.objects.filter(notification_id=seal.notification_id))


def _changed_seal(seal: Seal) -> str:
    if seal.notification_id is not None:
        right = count_results([seal.notification_id])
        if hashlib.sha256(seal_line(seal, right)).hexdigest() == seal.head:
            return _changed_tally(seal.notification_id, right)
    return f"seal {seal.number} was changed."


def _changed_tally(notification: int, right: list[Tally]) -> str:
    kept = Counter(map(tally_line, Tally.objects.filter(notification_id=notification)))
    wanted = Counter(map(tally_line, right))
    what = "; ".join([*(kept - wanted), *(wanted - kept)])
    return f"notification {notification}: its tallies were changed ({what})."


def _difference(seal: Seal, archive: Path | None, found: Verification) -> str:
    """The first difference of what this seal covers; empty for none."""
    if seal.notification_id is None:
        text = action_rows(_given(seal.since), _given(seal.until))
        return _compared(seal, text, "audit entry", "the audit trail")
    number = seal.notification_id
    header = Notification.objects.filter(pk=number).first()
    if header is None:
        return f"notification {number} is missing."
    place = Archive.objects.filter(notification_id=number).first()
    if place is not None:
        return _archived_difference(seal, header, place, archive, found)
    found.notifications += 1
    found.rows += seal.rows
    return _compared(seal, rows(header), "delivery", f"notification {number}")


def _archived_difference(
    seal: Seal,
    header: Notification,
    place: Archive,
    archive: Path | None,
    found: Verification,
) -> str:
    whole = f"notification {header.pk}"
    extra = Delivery.objects.filter(notification_id=header.pk).order_by("pk").first()
    if extra is not None:
        return f"delivery {extra.pk} was added to {whole}, which is archived."
    if archive is None:
        found.archived += 1
        return ""
    found.notifications += 1
    found.rows += seal.rows
    path = archive / place.file_name
    if sha256(path) != place.file_digest:
        return f"{path.name} is not the file that was archived."
    with gzip.open(path) as lines:
        # The first line as the database has it: both must be what was sealed.
        in_file = islice(rows_of_file(lines), 1, None)
        return _compared(
            seal, chain(islice(rows(header), 1), in_file), "delivery", whole
        )


def _compared(seal: Seal, text: Iterable[Row], row: str, whole: str) -> str:
    now = digest_of(text)
    if now.digest == seal.digest:
        return ""
    kept, found = _by_row(seal.leaves), _by_row(now.leaves)
    for number in sorted({*kept, *found}):
        if number not in found:
            return f"{row} {number} is missing from {whole}."
        if number not in kept:
            return f"{row} {number} was added to {whole}."
        if len(kept[number]) != len(found[number]):
            return f"{row} {number} of {whole} has another number of attempts."
        if kept[number] != found[number]:
            return f"{row} {number} of {whole} was changed."
    return f"{whole} was changed: its first line, which says what was sent."


def _by_row(leaves: bytes | memoryview) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for number, digest in LEAF.iter_unpack(leaves):
        found.setdefault(number, []).append(digest)
    return found


def _given(moment: datetime | None) -> datetime:
    if moment is None:
        raise ValueError("A seal over actions has no period.")
    return moment
