"""Verification: unchanged records pass; what differs is named."""

import gc
import gzip
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from notifications.history.evidence.bundle import seal_lines
from notifications.models import Archive, Attempt, AuditEntry, Delivery, Seal
from notifications.record import chain
from notifications.record import queries as record_queries
from notifications.record.canonical_text import canonical_text
from notifications.record.comparison import compare
from notifications.record.guards import install as guards_install
from notifications.record.leaves import LEAF, digest_of_leaves
from notifications.record.trail import seal_trail
from notifications.record.verification import verify
from tests.factories import (
    make_archive,
    make_attempt,
    make_delivery,
    make_notification,
    make_saved_draft,
    make_sent_entry,
    seal_ended,
)
from tests.record.tampering import edit

pytestmark = pytest.mark.django_db


@pytest.fixture
def notification():
    row = make_notification(status="completed")
    make_attempt(make_delivery(row, status="accepted"))
    make_attempt(make_delivery(row, status="failed"), outcome="rejected")
    return row


def test_an_unchanged_record(notification):
    AuditEntry.objects.create(action="sent", actor="lin.mei")
    make_notification(status="completed")
    seal_ended()
    seal_trail()
    make_sent_entry(make_notification(status="completed"))
    make_saved_draft()

    verification = verify()

    assert verification.differences == []
    assert (verification.seals, verification.notifications, verification.rows) == (
        3,
        2,
        4,
    )
    assert verification.unsealed == 1
    assert verification.head == record_queries.head()


def test_an_empty_record():
    verification = verify()

    assert (verification.unchanged, verification.seals, verification.head) == (
        True,
        0,
        "",
    )


def test_only_one_notification_is_read_but_the_whole_chain_followed(notification):
    other = make_notification(status="completed")
    make_delivery(other, status="accepted")
    seal_ended()

    verification = verify(notification=other.pk)

    assert (verification.seals, verification.notifications, verification.rows) == (
        2,
        1,
        1,
    )


def test_only_what_was_sealed_from_a_day_on_is_read(notification):
    seal_ended()

    assert verify(since=notification.seal.sealed_at).notifications == 1
    later = notification.seal.sealed_at + timedelta(seconds=1)
    assert verify(since=later).notifications == 0


def test_a_seal_after_a_clock_that_was_set_back_is_read(notification, monkeypatch):
    seal_ended()
    since = notification.seal.sealed_at
    make_notification(status="completed")
    monkeypatch.setattr(chain.timezone, "now", lambda: since - timedelta(days=1))
    seal_ended()

    assert verify(since=since).notifications == 2


def test_a_head_that_was_kept_elsewhere(notification):
    seal_ended()
    head = record_queries.head()
    make_notification(status="completed")
    seal_ended()

    assert verify(expect=head).unchanged
    assert verify(expect=head[:12]).unchanged
    assert verify(expect="0" * 64).differences == [
        f"No seal has the head {'0' * 64}: seals were removed or made anew."
    ]


def archived(notification, folder):
    """The rows stay; the command, which deletes them, has its own test."""
    name = f"notification-{notification.pk}.jsonl.gz"
    data = gzip.compress(b"".join(canonical_text(notification)), mtime=0)
    (folder / name).write_bytes(data)
    seal_ended()
    return make_archive(notification, file_digest=hashlib.sha256(data).hexdigest())


def test_rows_of_an_archived_notification_that_are_still_there(notification, tmp_path):
    archived(notification, tmp_path)
    first = notification.deliveries.order_by("pk").first()

    assert verify().differences == [
        f"delivery {first.pk} was added to notification {notification.pk}, which is "
        "archived."
    ]


def test_an_archived_file(tmp_path):
    notification = make_notification(status="completed")
    archive = archived(notification, tmp_path)

    assert (verify().archived, verify().notifications) == (1, 0)
    verification = verify(archive=tmp_path)
    assert (
        verification.unchanged,
        verification.archived,
        verification.notifications,
    ) == (True, 0, 1)

    (tmp_path / archive.file_name).write_bytes(gzip.compress(b"{}\n"))
    assert verify(archive=tmp_path).differences == [
        f"{archive.file_name} is not the file that was archived."
    ]


def test_an_archived_file_that_is_gone(tmp_path):
    archive = archived(make_notification(status="completed"), tmp_path)

    verification = verify(archive=tmp_path / "elsewhere")

    assert (verification.differences, verification.archived) == ([], 1)
    assert verification.unreadable == [
        f"{archive.file_name}: No such file or directory"
    ]


def test_only_the_archive_of_one_notification_is_read(notification, tmp_path):
    other = make_notification(status="completed")
    archive = archived(other, tmp_path)
    with guards_install.guards_disabled():
        edit(archive, deliveries=9)

    assert verify(notification=notification.pk).differences == []
    assert verify(notification=other.pk).differences == [
        f"the archive of notification {other.pk} was changed."
    ]


def test_a_removal_behind_archives_that_nobody_sealed(notification):
    """All rows removed by SQL, and archives inserted that seem to explain it."""
    seal_ended()
    head = record_queries.head()
    first = notification.deliveries.order_by("pk").first()

    with guards_install.guards_disabled():
        Attempt.objects.all().delete()
        Delivery.objects.all().delete()
        Archive.objects.create(
            notification=notification,
            file_name="notification-1.jsonl.gz",
            file_digest="0" * 64,
            deliveries=2,
            attempts=2,
        )

    assert verify(expect=head).differences == [
        f"delivery {first.pk} is missing from notification {notification.pk}.",
        f"the archive of notification {notification.pk} has no seal.",
    ]


def test_a_removal_behind_an_archive_that_was_sealed_by_hand(notification):
    """Its file cannot be read: the verification cannot tell."""
    seal_ended()
    with guards_install.guards_disabled():
        Attempt.objects.all().delete()
        Delivery.objects.all().delete()
    make_archive(notification)

    assert verify().archived == 1


# --- memory -------------------------------------------------------------------------

MEGABYTE = 1_000_000


def peak_of(read: Callable[[], object]) -> int:
    """The most bytes that Python allocated meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_leaves_of_a_seal():
    """A seal has 12 bytes for each delivery and each call."""
    small, large = (
        make_seal_of_leaves(number, bytes(size))
        for number, size in enumerate([LEAF.size, 12 * MEGABYTE], start=1)
    )
    make_seal_of_leaves(3, bytes(12 * MEGABYTE))

    peak = peak_of(lambda: list(map(len, verify().differences)))

    assert peak < 9 * MEGABYTE
    for seal, size in [(small, LEAF.size), (large, 12 * MEGABYTE)]:
        assert digest_of_leaves(seal) == hashlib.sha256(bytes(size)).hexdigest()
    assert peak_of(lambda: list(seal_lines(1, 3))) < 9 * MEGABYTE


def test_memory_does_not_grow_with_the_rows_of_a_difference():
    """Neither do those that the database has now."""
    peaks = []
    for number, count in enumerate([10, 200_000], start=1):
        seal = make_seal_of_leaves(
            number, b"".join(LEAF.pack(n, b"same") for n in range(1, count + 1))
        )

        def text(last: int = count) -> Iterator[tuple[int, bytes]]:
            yield from ((n, b"") for n in range(1, last + 1))

        peaks.append(
            peak_of(lambda: compare(seal, text, "delivery", "it"))  # noqa: B023
        )

    assert peaks[1] < peaks[0] + 8 * MEGABYTE


def make_seal_of_leaves(number: int, leaves: bytes) -> Seal:
    Seal.objects.create(
        number=number,
        kind=Seal.Kind.ACTIONS,
        first_entry=number,
        last_entry=number,
        rows=1,
        digest=hashlib.sha256().hexdigest(),  # no entry has these ids
        leaves=leaves,
        previous="1" * 64 if number > 1 else "",
        head=f"{number:064}",
    )
    return Seal.objects.defer("leaves").get(number=number)


def test_a_difference_in_many_rows_is_found_row_by_row():
    count = 10_000
    lines = [(n, b"%d" % n) for n in range(1, count + 1)] * 2  # and their attempts
    seal = make_seal_of_leaves(1, chain.digest_of(lines).leaves)

    def difference(text: list[tuple[int, bytes]]) -> str:
        return compare(seal, lambda: text, "delivery", "notification 1")

    last = [*lines[:-1], (count, b"changed")]
    found = []
    peak = peak_of(lambda: found.append(difference(last)))

    assert found == [f"delivery {count} of notification 1 was changed."]
    assert peak < 3 * MEGABYTE
    assert difference(lines[1:]) == (
        "delivery 1 of notification 1 has another number of attempts or queries."
    )
    assert difference([line for line in lines if line[0] != 7]) == (
        "delivery 7 is missing from notification 1."
    )
    assert difference([(-5, b"new"), *lines]) == (
        "delivery -5 was added to notification 1."
    )
    assert difference(lines).startswith("notification 1 was changed: its first line")
