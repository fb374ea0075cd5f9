"""The audit trail is sealed by ranges of ids, whatever times its entries have."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import AuditEntry, Seal
from notifications.record import trail
from notifications.record.chain import SealedByAnother
from notifications.record.guards import install as guards_install
from notifications.record.trail import (
    Horizon,
    last_id,
    newest_seal_of_trail,
    seal_trail,
    unused_ids,
)
from notifications.record.verification import verify
from tests.interleaving import interleave
from tests.record.tampering import delete, sql

pytestmark = pytest.mark.django_db


def entry(**values) -> AuditEntry:
    return AuditEntry.objects.create(action="sent", actor="lin.mei", **values)


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@pytest.fixture
def always_due(monkeypatch):
    monkeypatch.setattr(trail, "MAX_WAITING", 1)


def test_a_seal_covers_all_ids_since_the_last_one(always_due):
    entry()
    first = entry()

    seal = seal_trail()
    last = entry()
    following = seal_trail()

    assert (seal.first_entry, seal.last_entry, seal.rows) == (1, first.pk, 2)
    assert (following.first_entry, following.last_entry, following.rows) == (
        first.pk + 1,
        last.pk,
        1,
    )
    assert following.previous == seal.head
    assert seal_trail() is None
    verification = verify()
    assert (verification.differences, verification.unsealed_entries) == ([], 0)


def test_nothing_to_seal_in_an_empty_trail():
    assert seal_trail() is None


def test_a_seal_is_due_after_an_hour_or_a_thousand_entries(monkeypatch):
    entry()
    seal_trail()
    entry()

    assert seal_trail() is None

    now = timezone.now()
    monkeypatch.setattr(trail, "MAX_WAITING", 3)
    entry()
    assert seal_trail() is None
    entry()
    assert seal_trail().rows == 3

    entry()
    # A clock that was set back is no reason to wait.
    for later in (timedelta(hours=1, seconds=1), -timedelta(days=1)):
        with monkeypatch.context() as patch:
            patch.setattr(trail.timezone, "now", lambda later=later: now + later)
            assert seal_trail().rows == 1
        entry()


@pytest.mark.parametrize(
    "shift", [timedelta(days=-400), timedelta(days=-1), timedelta(days=1)]
)
def test_the_time_of_an_entry_does_not_matter(always_due, shift):
    entry()
    seal_trail()

    entry(at=timezone.now() + shift)
    before = verify()
    seal_trail()
    entry(at=timezone.now() + shift)
    after = verify()

    assert (before.differences, before.unsealed_entries) == ([], 1)
    assert (after.differences, after.unsealed_entries) == ([], 1)


def rolled_back_ids(count: int) -> None:
    """Use up ids without entries; SQLite would assign them again."""
    with transaction.atomic():
        for _n in range(count):
            entry()
        transaction.set_rollback(True)


def test_an_entry_in_a_gap_is_named_as_added():
    with guards_install.guards_disabled():
        entry()
        removed = [entry() for _n in range(2)]
        last = entry()
        for row in removed:
            delete(row)
        seal = seal_trail()
        assert (removed[0].pk, removed[1].pk) in list(unused_ids(seal))

        entry(pk=removed[0].pk, at=last.at)

    assert verify().differences == [
        f"audit entry {removed[0].pk} was added to the audit trail."
    ]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_removed_entry_is_named_as_missing(index):
    entries = [entry() for _n in range(3)]
    seal_trail()

    with guards_install.guards_disabled():
        delete(entries[index])

    assert verify().differences == [
        f"audit entry {entries[index].pk} is missing from the audit trail."
    ]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_number_without_an_entry_at_the_time_of_the_seal_is_named(index):
    """Only PostgreSQL leaves such numbers after a rollback."""
    entries = [entry() for _n in range(3)]
    with guards_install.guards_disabled():
        delete(entries[index])

    before = verify()
    seal_trail()
    after = verify()

    removed = entries[index].pk
    assert before.differences == []
    if is_sqlite():
        assert before.unused_unsealed == 1
        assert after.differences == [
            f"audit entry {removed} was removed before the audit trail was sealed."
        ]
    else:
        assert after.differences == []
        assert any(first <= removed <= last for first, last in after.unused_ids)


def test_rolled_back_numbers_are_no_difference(always_due):
    entry()
    seal_trail()
    rolled_back_ids(2)
    last = entry()
    before = verify()
    seal = seal_trail()

    verification = verify()
    gap = [] if is_sqlite() else [(last.pk - 2, last.pk - 1)]
    assert before.unused_unsealed == 2 * len(gap)
    assert (verification.differences, list(unused_ids(seal))) == ([], gap)


def test_an_entry_with_a_number_below_the_first_is_named():
    entry()
    seal_trail()
    entry(pk=-5)

    assert verify().differences == [
        "audit entry -5 was added to the audit trail: the database has not assigned this "
        "number."
    ]


def test_an_entry_with_a_number_that_was_not_assigned_is_named():
    """SQLite continues with the next number: the missing ones before it are named."""
    last = entry()
    seal_trail()
    stranger = entry(pk=last.pk + 10_000)

    if is_sqlite():
        assert verify().unused_unsealed == 9_999
        return
    assert verify().differences == [
        f"audit entry {stranger.pk} was added to the audit trail: the database has not "
        "assigned this number."
    ]
    assert seal_trail() is None


def test_a_seal_that_skips_ids_is_named(always_due, monkeypatch):
    last = entry()
    seal_trail()
    skipped = entry()
    with monkeypatch.context() as patch:
        patch.setattr(
            trail,
            "newest_seal_of_trail",
            lambda: Seal(last_entry=skipped.pk, sealed_at=timezone.now()),
        )
        entry()
        seal = seal_trail()

    assert verify().differences == [
        f"seal {seal.number} begins with audit entry {skipped.pk + 1} instead of "
        f"{last.pk + 1}."
    ]


def test_the_pause_ends_a_sealing(monkeypatch):
    monkeypatch.setattr(trail, "BLOCK", 2)

    def pause():
        raise InterruptedError

    for _n in range(2):
        entry()

    with pytest.raises(InterruptedError):
        seal_trail(pause=pause)
    assert not Seal.objects.exists()


def between() -> None:
    """The point at which the first side stops."""


def stopped_before_its_commit() -> int:
    with transaction.atomic():
        row = entry()
        between()
    return row.pk


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_after_a_later_one():
    """Its id is lower than the newest one, but it is not there when that one is sealed."""

    def later() -> Seal | None:
        with transaction.atomic():
            entry()
        return seal_trail()

    early, seal = interleave(stopped_before_its_commit, later, at=f"{__name__}.between")

    if not is_sqlite():  # on SQLite the second transaction waits for the first
        assert seal is None
        seal = seal_trail()
    assert (seal.first_entry, seal.rows) == (1, 2)
    assert seal.first_entry <= early <= seal.last_entry
    assert verify().differences == []


class Writer:
    """A session with an open transaction that has inserted an entry."""

    def __init__(self) -> None:
        self._session = connection.copy()
        self._session.set_autocommit(False)
        with self._session.cursor() as cursor:
            cursor.execute(
                "INSERT INTO notifications_auditentry "
                "(at, action, actor, actor_name, by_superuser, address, detail) "
                "VALUES (now(), 'sent', 'lin.mei', '', false, '', '{}') RETURNING id"
            )
            (self.entry,) = cursor.fetchone()

    def commit(self) -> None:
        self._session.commit()

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def write() -> Iterator[Callable[[], Writer]]:
    """Start a writer; its session ends with the test at the latest."""
    with ExitStack() as stack:

        def start() -> Writer:
            writer = Writer()
            stack.callback(writer.close)
            return writer

        yield start


@pytest.mark.django_db(transaction=True)
def test_writers_that_overlap_all_the_time_do_not_prevent_seals(always_due, write):
    if is_sqlite():  # writers exclude each other
        return
    horizon = Horizon()
    writer = write()
    first_entry = writer.entry
    for _n in range(6):
        earlier, writer = writer, write()
        earlier.commit()
        seal_trail(horizon=horizon)  # while the next one is open

    assert newest_seal_of_trail().last_entry == first_entry + 5
    assert Seal.objects.count() == 3
    assert verify().differences == []
    writer.commit()
    assert seal_trail(horizon=horizon).last_entry == writer.entry
    verification = verify()
    assert (verification.differences, verification.unsealed_entries) == ([], 0)
    assert AuditEntry.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_stays_open_is_waited_for(always_due, write):
    if is_sqlite():  # likewise
        return
    horizon = Horizon()
    slow = write()
    for _n in range(3):
        quick = write()
        quick.commit()
        assert seal_trail(horizon=horizon) is None
    slow.commit()

    assert seal_trail(horizon=horizon).first_entry <= slow.entry
    assert seal_trail(horizon=horizon).last_entry == quick.entry
    assert verify().differences == []


@pytest.mark.parametrize("is_called", [True, False])
def test_a_counter_that_was_set_by_hand(always_due, is_called):
    """``setval(…, false)``, as after a restore: the value is the next id."""
    if is_sqlite():  # it has no such form
        return
    last = entry()
    set_counter(last.pk + (0 if is_called else 1), is_called=is_called)

    assert last_id() == last.pk
    assert verify().differences == []
    assert seal_trail().last_entry == last.pk


@pytest.mark.parametrize("value", [1, 2])
def test_a_counter_that_was_set_back_is_named(always_due, value):
    for _n in range(3):
        last = entry()
    seal_trail()
    set_counter(value, is_called=value == 1)

    assert verify().differences == [
        "the counter of the audit entries was set back to 1, though they are sealed up "
        f"to {last.pk}."
    ]
    assert seal_trail() is None


def set_counter(value: int, *, is_called: bool) -> None:
    if is_sqlite():
        assigned = value if is_called else value - 1
        sql(
            "UPDATE sqlite_sequence SET seq = %s WHERE name = %s",
            [assigned, AuditEntry._meta.db_table],
        )
    else:
        sql(
            "SELECT setval(pg_get_serial_sequence('notifications_auditentry', 'id'), "
            "%s, %s)",
            [value, is_called],
        )


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_seal_the_same_entries(always_due):
    entry()

    seals = interleave(seal_trail, seal_trail, at="notifications.record.trail.append")

    assert isinstance(seals[0], SealedByAnother)
    assert Seal.objects.get() == seals[1]
    assert verify().differences == []
