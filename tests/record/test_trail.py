"""The audit trail is sealed by ranges of ids, whatever times its entries have."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import AuditEntry, Seal
from notifications.record import trail
from notifications.record.chain import SealedByAnother
from notifications.record.guards import install as guards_install
from notifications.record.trail import seal_trail, unused_ids
from notifications.record.verification import verify
from tests.interleaving import interleave
from tests.record.tampering import delete

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


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_seal_the_same_entries(always_due):
    entry()

    seals = interleave(seal_trail, seal_trail, at="notifications.record.trail.append")

    assert isinstance(seals[0], SealedByAnother)
    assert Seal.objects.get() == seals[1]
    assert verify().differences == []
