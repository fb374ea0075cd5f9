"""Compare the record with its seals, and name the first row of each that differs.

Every seal is checked in order: its link to the previous seal, its head, and the text that
it covers; the seals of the audit trail together cover every id up to the last sealed one.
With a copy of a head kept outside of this installation, this proves that nothing up to
that seal was changed. It cannot detect changes of rows that are not sealed yet, nor the
removal of the last seals unless ``expect`` names a head.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Max

from notifications.db.snapshot import snapshot
from notifications.models import (
    AuditEntry,
    Seal,
    Tally,
)
from notifications.record.chain import head_of, tally_line
from notifications.record.differences import (
    Verification,
    difference_of_content,
    notification_of,
)
from notifications.record.draft_versions import draft_differences, version_differences
from notifications.record.guards import install as guards_install
from notifications.record.readable import Reader, unreadable_values
from notifications.record.result_counts import count_results
from notifications.record.sealing import sealable
from notifications.record.stored_types import wrong_types, wrong_types_of_chain
from notifications.record.trail import last_id
from notifications.record.unsealed import differences_of_unsealed


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
        f"The guard {name} of the record is missing or was changed."
        for name in guards_install.missing()
    ]
    verification.differences += [
        f"The table {table} has a {name} that this program did not create."
        for table, name in guards_install.unknown()
    ]
    reader = Reader(wrong_types_of_chain())
    has_head = not expect
    has_reached_since = since is None
    for seal in _chain(verification, reader):
        has_head |= seal.head.startswith(expect)
        # Later seals may have an earlier time: the clock may have been set back.
        has_reached_since |= since is not None and seal.sealed_at >= since
        if notification is not None and notification_of(seal) != notification:
            continue
        if not has_reached_since:
            continue
        if difference := difference_of_content(seal, archive, verification):
            verification.differences.append(difference)
    verification.differences += differences_of_unsealed(reader, notification)
    _verify_unsealed_trail(verification)
    verification.differences += version_differences(
        reader, notification=notification, since=since
    )
    verification.differences += draft_differences(reader, notification=notification)
    if not has_head:
        verification.differences.append(
            f"No seal has the head {expect}: seals were removed or made anew."
        )
    verification.differences += reader.sentences
    # Two parts of the verification may read the same row.
    verification.differences = list(dict.fromkeys(verification.differences))
    return verification


def _chain(verification: Verification, reader: Reader) -> Iterator[Seal]:
    """Yield all seals in order; add differences of the chain itself."""
    for seal in reader.rows(Seal.objects.defer("leaves").order_by("number")):
        verification.seals += 1
        difference = ""
        if seal.number != verification.seals:
            difference = f"seal {verification.seals} is missing."
            verification.seals = seal.number
        elif seal.previous != verification.head:
            difference = f"seal {seal.number} does not follow seal {seal.number - 1}."
        else:
            difference = _difference_of_head(seal, reader) or _difference_of_range(
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
    entries = AuditEntry.objects.filter(pk__gt=last)
    verification.differences += wrong_types(entries)
    verification.differences += unreadable_values(entries.order_by("pk"))
    unsealed = entries.aggregate(count=Count("pk"), newest=Max("pk"))
    # Read after the entries: it only grows.
    assigned = last_id()
    outside = AuditEntry.objects.filter(pk__lt=1).order_by("pk").first()
    stranger = outside.pk if outside else unsealed["newest"]
    if stranger is not None and not 1 <= stranger <= assigned:
        verification.differences.append(
            f"audit entry {stranger} was added to the audit trail: the database has not "
            "assigned this number."
        )
    if assigned < last:
        verification.differences.append(
            f"the counter of the audit entries was set back to {assigned}, though they "
            f"are sealed up to {last}."
        )
    verification.unsealed_entries = unsealed["count"]
    verification.unused_unsealed = max(0, assigned - last - unsealed["count"])


def _difference_of_head(seal: Seal, reader: Reader) -> str:
    """Whether the seal or its result counts were changed; empty if neither was."""
    number = seal.notification_id
    stored = reader.all(Tally.objects.filter(notification_id=number)) if number else []
    if head_of(seal, stored) == seal.head:
        return ""
    if number:
        recounted = count_results([number])
        if head_of(seal, recounted) == seal.head:
            before, after = (Counter(map(tally_line, t)) for t in (recounted, stored))
            lines = "; ".join([*(after - before), *(before - after)])
            return f"notification {number}: its tallies were changed ({lines})."
    return f"seal {seal.number} was changed."
