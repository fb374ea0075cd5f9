"""Compare the record with its seals, and name the first row of each that differs.

Every seal is checked in order: its link to the previous seal, its head, and the text that
it covers; the seals of the audit trail together cover every id up to the last sealed one.
With a copy of a head kept outside of this installation, this proves that nothing up to
that seal was changed. It cannot detect changes of rows that are not sealed yet, nor the
removal of the last seals unless ``expect`` names a head.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from django.db import connection
from django.db.models import Count, Max

from notifications.db.snapshot import snapshot
from notifications.files import sha256
from notifications.models import (
    Archive,
    AuditEntry,
    Delivery,
    Notification,
    Seal,
    Tally,
)
from notifications.record.archive import archive_row
from notifications.record.canonical_text import Row, rows, rows_of_file
from notifications.record.chain import LEAF, digest_of, head_of, leaves_of, tally_line
from notifications.record.draft_versions import draft_differences, version_differences
from notifications.record.guards import install as guards_install
from notifications.record.origin import difference_of_origin, problem_before_sealing
from notifications.record.result_counts import count_results
from notifications.record.sealing import sealable
from notifications.record.stored_types import (
    wrong_types_of_chain,
    wrong_types_of_entries,
    wrong_types_of_notification,
)
from notifications.record.trail import action_rows, last_id, unused_ids


@dataclass(slots=True)
class Verification:
    """``differences`` are sentences, at most one for the content of each seal."""

    differences: list[str] = field(default_factory=list)
    head: str = ""
    seals: int = 0
    notifications: int = 0  # whose rows were read and compared
    rows: int = 0
    archived: int = 0  # whose archive files were not read
    unreadable: list[str] = field(default_factory=list)  # these files, with the error
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

    All of it is read from one snapshot, so archiving and sealing may run meanwhile.

    The chain is always checked from its start. With ``notification`` or ``since``, only
    the rows of that notification, or of the first seal written from then on and all later
    ones, are read. ``expect`` is a head that was kept elsewhere, or its first digits;
    ``archive`` is the folder of ``archive_history``.
    """
    with snapshot():
        return _verify(notification, since, expect, archive)


def _verify(
    notification: int | None, since: datetime | None, expect: str, archive: Path | None
) -> Verification:
    verification = Verification(unsealed=sealable().count())
    verification.differences += [
        f"The table {table} has a {name} that this program did not create."
        for table, name in guards_install.unknown()
    ]
    if unreadable := list(wrong_types_of_chain()):
        verification.differences += unreadable
        return verification
    heads = []
    has_reached_since = since is None
    for seal in _chain(verification):
        heads.append(seal.head)
        # Later seals may have an earlier time: the clock may have been set back.
        has_reached_since |= since is not None and seal.sealed_at >= since
        if notification is not None and _notification_of(seal) != notification:
            continue
        if not has_reached_since:
            continue
        difference = (
            _wrong_type(seal)
            or _difference(seal, archive, verification)
            or difference_of_origin(seal)
        )
        if difference:
            verification.differences.append(difference)
    verification.differences += _unsealed_archives(notification)
    for number in sealable().values_list("pk", flat=True):
        if notification in (None, number) and (
            problem := problem_before_sealing(number)
        ):
            verification.differences.append(problem)
    _verify_unsealed_trail(verification)
    verification.differences += version_differences(
        notification=notification, since=since
    )
    verification.differences += draft_differences(notification=notification)
    if expect and not any(head.startswith(expect) for head in heads):
        verification.differences.append(
            f"No seal has the head {expect}: seals were removed or made anew."
        )
    return verification


def _notification_of(seal: Seal) -> int | None:
    """The number of the notification or of the archived one; ``None`` for entries."""
    if seal.archive_id is None:
        return seal.notification_id
    return next((number for number, _digest in leaves_of(seal)), None)


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


def _unsealed_archives(notification: int | None) -> Iterator[str]:
    """The differences of archives without a seal: archiving did not write them."""
    archives = Archive.objects.filter(seal__isnull=True)
    if notification is not None:
        archives = archives.filter(notification_id=notification)
    for archive in archives:
        yield f"the archive of notification {archive.notification_id} has no seal."


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


def _wrong_type(seal: Seal) -> str:
    """The first value of a sealed row that is stored in a wrong type; empty for none."""
    if seal.notification_id is not None:
        return next(wrong_types_of_notification(seal.notification_id), "")
    if seal.first_entry is not None and seal.last_entry is not None:
        return next(wrong_types_of_entries(seal.first_entry, seal.last_entry), "")
    return ""


def _difference(seal: Seal, folder: Path | None, verification: Verification) -> str:
    """The first difference of the rows that this seal covers; empty for none."""
    if seal.archive_id is not None:
        return _difference_of_archive(seal, seal.archive_id)
    number = seal.notification_id
    if number is None:
        return _difference_of_trail(seal, verification)
    subject = f"notification {number}"
    notification = Notification.objects.filter(pk=number).first()
    if notification is None:
        return f"{subject} is missing."
    # An archive without a seal is a difference of its own, and explains nothing.
    archive = Archive.objects.filter(
        notification=notification, seal__isnull=False
    ).first()
    if archive is not None:
        added = Delivery.objects.filter(notification_id=number).order_by("pk").first()
        if added is not None:
            return f"delivery {added.pk} was added to {subject}, which is archived."
        return _difference_of_file(seal, notification, archive, folder, verification)
    verification.notifications += 1
    verification.rows += seal.rows
    return _compare(seal, rows(notification), "delivery", subject)


def _difference_of_archive(seal: Seal, archive_id: int) -> str:
    """Whether the archive, which names the file and its digest, is the sealed one."""
    archive = Archive.objects.filter(pk=archive_id).first()
    if archive is None:
        return f"the archive of notification {_notification_of(seal)} is missing."
    if digest_of([archive_row(archive)]).digest != seal.digest:
        return f"the archive of notification {archive.notification_id} was changed."
    return ""


def _difference_of_file(
    seal: Seal,
    notification: Notification,
    archive: Archive,
    folder: Path | None,
    verification: Verification,
) -> str:
    """The first difference of the archive file, which is counted if it is not read."""
    if folder is None:
        verification.archived += 1
        return ""
    path = folder / archive.file_name
    try:
        if sha256(path) != archive.file_digest:
            return f"{path.name} is not the file that was archived."
        with gzip.open(path) as lines:
            # The first line comes from the database: both copies must match the seal.
            header = islice(rows(notification), 1)
            text = chain(header, islice(rows_of_file(lines), 1, None))
            subject = f"notification {notification.pk}"
            difference = _compare(seal, text, "delivery", subject)
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, LookupError, TypeError):
        return f"{path.name} does not hold the sealed text of notification {notification.pk}."
    except OSError as error:
        verification.archived += 1
        verification.unreadable.append(f"{archive.file_name}: {error.strerror}")
        return ""
    verification.notifications += 1
    verification.rows += seal.rows
    return difference


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
    before = _digests_by_row(leaves_of(seal))
    after = _digests_by_row(LEAF.iter_unpack(digest.leaves))
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


def _digests_by_row(leaves: Iterable[tuple[int, bytes]]) -> dict[int, list[bytes]]:
    digests: dict[int, list[bytes]] = {}
    for number, digest in leaves:
        digests.setdefault(number, []).append(digest)
    return digests
