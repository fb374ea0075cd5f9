"""``manage.py archive_history``: write and verify files, then delete the rows."""

import fcntl
import gzip
import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Archive, Attempt, AuditEntry, Delivery, Seal, Tally
from notifications.record.canonical_text import canonical_text
from notifications.record.guards import install as guards_install
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_notification,
    seal_ended,
)
from tests.interleaving import interleave
from tests.management.running import run

pytestmark = pytest.mark.django_db

THE_DAY_AFTER = "2026-03-03"  # MOMENT is on the 2nd


def ended(**values):
    """Finished, with an accepted and a failed delivery and their attempts."""
    row = make_notification(status="completed", **values)
    make_attempt(make_delivery(row, status="accepted"))
    make_attempt(make_delivery(row, status="failed"), outcome="rejected")
    return row


def sealed(**values):
    row = ended(**values)
    seal_ended()
    return row


def archive(folder, *options, before=THE_DAY_AFTER):
    return run("archive_history", "--before", before, "--to", str(folder), *options)


def path_of(notification, folder):
    return folder / f"notification-{notification.pk}.jsonl.gz"


def test_the_rows_go_into_a_file(tmp_path):
    row = sealed()
    text = b"".join(canonical_text(row))

    code, out, err = archive(tmp_path)

    name = f"notification-{row.pk}.jsonl.gz"
    assert (code, out.splitlines(), err) == (
        0,
        [
            f"notification {row.pk}: 4 rows went into {name}",
            "archived: notifications: 1, rows: 4",
        ],
        "",
    )
    data = (tmp_path / name).read_bytes()
    assert gzip.decompress(data) == text
    assert hashlib.sha256(text).hexdigest() == row.seal.digest
    assert os.listdir(tmp_path) == [name]
    place = Archive.objects.get()
    assert (place.notification, place.file_name) == (row, name)
    assert place.file_digest == hashlib.sha256(data).hexdigest()
    assert (Delivery.objects.count(), Attempt.objects.count()) == (0, 0)
    assert [seal.kind for seal in Seal.objects.all()] == ["notification", "archive"]
    assert (place.deliveries, place.attempts) == (2, 2)
    assert place.seal.previous == row.seal.head
    assert Tally.objects.count() == 2
    entry = AuditEntry.objects.get(action="archived")
    assert (entry.notification_number, entry.detail) == (
        row.pk,
        {
            "file_name": name,
            "sha256": place.file_digest,
            "deliveries": 2,
            "attempts": 2,
        },
    )
    assert entry.request_number is not None
    assert guards_install.missing() == []


def test_the_record_is_still_provable(tmp_path):
    sealed()
    archive(tmp_path)
    sealed()

    assert verify().unchanged
    verification = verify(archive=tmp_path)
    assert (verification.unchanged, verification.archived, verification.rows) == (
        True,
        0,
        8,
    )


def test_only_what_is_sealed_and_old_enough(tmp_path):
    young = sealed(finished_at=datetime(2026, 3, 3, tzinfo=UTC))
    old = sealed(finished_at=datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
    unsealed = ended()
    running = make_delivery(status="accepted").notification

    code, out, _err = archive(tmp_path)

    assert (code, out.splitlines()[-2:]) == (
        0,
        [
            "archived: notifications: 1, rows: 4",
            "left here, because they are not sealed yet: 1",
        ],
    )
    assert [place.notification for place in Archive.objects.all()] == [old]
    for notification, count in ((young, 2), (unsealed, 2), (running, 1), (old, 0)):
        assert notification.deliveries.count() == count


def test_a_trial_changes_nothing(tmp_path):
    row = sealed()

    code, out, _err = archive(tmp_path, "--dry-run")

    assert (code, out.splitlines()) == (
        0,
        [
            f"notification {row.pk}: 4 rows would go into {path_of(row, tmp_path).name}",
            "to archive: notifications: 1, rows: 4",
        ],
    )
    assert (os.listdir(tmp_path), row.deliveries.count()) == ([], 2)
    assert not AuditEntry.objects.filter(action="archived").exists()


def test_the_same_text_makes_the_same_file(tmp_path):
    """The gzip header has no time and no name: equal contents have equal digests."""
    row = sealed()
    archive(tmp_path)

    data = path_of(row, tmp_path).read_bytes()
    assert data[:10] == b"\x1f\x8b\x08\x00\0\0\0\0\x00\xff"  # no name, time 0


def test_a_second_run_goes_on_after_half_a_file(tmp_path):
    row = sealed()
    partial = path_of(row, tmp_path).with_name(f"{path_of(row, tmp_path).name}.partial")
    partial.write_bytes(b"half of it")

    assert archive(tmp_path)[0] == 0
    assert os.listdir(tmp_path) == [path_of(row, tmp_path).name]
    assert verify(archive=tmp_path).unchanged


def test_a_second_run_goes_on_after_a_whole_file(tmp_path):
    """Killed between the file and the commit; then compressed by another zlib."""
    row = sealed()
    data = gzip.compress(b"".join(canonical_text(row)), compresslevel=1, mtime=7)
    path_of(row, tmp_path).write_bytes(data)

    assert archive(tmp_path)[0] == 0
    assert path_of(row, tmp_path).read_bytes() == data
    assert verify(archive=tmp_path).unchanged


def test_a_second_run_has_nothing_to_do(tmp_path):
    sealed()
    archive(tmp_path)

    assert archive(tmp_path)[:2] == (0, "archived: notifications: 0, rows: 0\n")


def stopped(folder, row, says):
    """The command stops with a message, and no part of ``row`` is deleted."""
    code, out, err = archive(folder)
    assert code == 2
    assert says in err
    assert err.endswith("It stopped there; what is not listed above is unchanged.")
    assert out.splitlines()[-1] == "archived: notifications: 0, rows: 0"
    assert (row.deliveries.count(), Attempt.objects.count()) == (2, 2)
    assert not Archive.objects.exists()
    assert guards_install.missing() == []


@pytest.mark.parametrize(
    "data", [b"", b"a letter", gzip.compress(b"other"), gzip.compress(b"x" * 99)[:-9]]
)
def test_another_file_of_that_name(tmp_path, data):
    row = sealed()
    path_of(row, tmp_path).write_bytes(data)

    stopped(tmp_path, row, "exists already and does not hold the sealed text")
    assert path_of(row, tmp_path).read_bytes() == data


def test_a_full_disk(tmp_path):
    row = sealed()
    partial = tmp_path / f"{path_of(row, tmp_path).name}.partial"
    partial.symlink_to("/dev/full")

    stopped(tmp_path, row, "No space left on device")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("place", ["nowhere", "a file"])
def test_a_folder_that_is_none(tmp_path, place):
    row = sealed()
    (tmp_path / "a file").touch()

    stopped(tmp_path / place, row, place)


def test_a_second_run_at_the_same_time(tmp_path):
    row = sealed()
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)

    stopped(tmp_path, row, "Another archive_history is writing into")
    os.close(handle)


def test_a_changed_record_is_not_archived(tmp_path):
    row = sealed()
    with guards_install.guards_disabled():
        Delivery.objects.filter(status="failed").update(error_info="x")

    stopped(tmp_path, row, f"Run manage.py verify_history --notification {row.pk}.")
    assert os.listdir(tmp_path) == []


def test_a_changed_seal_is_not_archived(tmp_path):
    """Otherwise changed rows could be archived with a digest that fits them."""
    row = sealed()
    with guards_install.guards_disabled():
        Delivery.objects.filter(status="failed").update(error_info="x")
        text = b"".join(canonical_text(row))
        Seal.objects.update(digest=hashlib.sha256(text).hexdigest())

    stopped(tmp_path, row, f"The seal of notification {row.pk} was changed.")
    assert os.listdir(tmp_path) == []


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_another_process_writes_meanwhile(tmp_path):
    """The removal is not repeated: the archive gets the next number."""
    sealed()
    ended(finished_at=datetime(2026, 3, 4, tzinfo=UTC))

    archived, count = interleave(
        lambda: archive(tmp_path),
        seal_ended,
        at="notifications.record.chain.head_of",
    )

    assert (archived[0], count) == (0, 1)
    assert verify(archive=tmp_path).differences == []


def test_a_row_that_came_after_the_file_is_not_lost(tmp_path):
    row = sealed()
    path_of(row, tmp_path).write_bytes(gzip.compress(b"".join(canonical_text(row))))
    make_attempt(row.deliveries.get(status="accepted"), outcome="accepted")

    code, _out, err = archive(tmp_path)

    assert code == 2
    assert f"Notification {row.pk} has 5 rows, but 4 were sealed." in err
    assert (row.deliveries.count(), Attempt.objects.count()) == (2, 3)


@pytest.mark.parametrize("day", ["2026-13-45", "yesterday", "²", ""])
def test_a_day_that_is_none(tmp_path, day):
    sealed()

    code, _out, err = archive(tmp_path, before=day)

    assert code == 1
    assert f"“{day}” is not a date like 2026-03-02." in err
    assert Delivery.objects.count() == 2


def test_what_stopped_goes_on_with_the_next_run(tmp_path):
    first, second = sealed(), sealed(finished_at=MOMENT + timedelta(hours=1))
    path_of(second, tmp_path).write_bytes(b"a letter")

    code, out, _err = archive(tmp_path)
    assert (code, out.splitlines()[-1]) == (2, "archived: notifications: 1, rows: 4")
    path_of(second, tmp_path).unlink()
    assert archive(tmp_path)[0] == 0

    assert {place.notification for place in Archive.objects.all()} == {first, second}
    assert verify(archive=tmp_path).unchanged
