"""When notifications are sealed, and how the seals are chained."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
)

from notifications.audit_log import EVENTS
from notifications.delivery.background import sealing_task
from notifications.models import AuditEntry, Delivery, Notification, Seal, Tally
from notifications.record import chain, sealing, trail
from notifications.record import queries as record_queries
from notifications.record.canonical_text import canonical_text
from notifications.record.guards import install as guards_install
from notifications.record.verification import verify
from notifications.system import health as system_health
from tests.factories import (
    make_attempt,
    make_delivery,
    make_notification,
    make_sent_entry,
    seal_ended,
)
from tests.record.tampering import sql

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def test_what_has_ended_is_sealed_once_and_counted():
    notification = make_notification(status="completed")
    make_attempt(make_delivery(notification, status="accepted"))
    make_delivery(notification, status="failed")

    assert seal_ended() == 1
    assert seal_ended() == 0

    seal = notification.seal
    text = b"".join(canonical_text(notification))
    assert (seal.number, seal.previous, seal.rows) == (1, "", 3)
    assert seal.digest == hashlib.sha256(text).hexdigest()
    assert record_queries.head() == seal.head
    assert {(t.status, t.count) for t in notification.tallies.all()} == {
        ("accepted", 1),
        ("failed", 1),
    }


def test_the_head_is_the_digest_of_a_line_that_names_the_seal_before():
    first, second = (make_notification(status="completed") for _n in range(2))
    make_delivery(second, status="accepted")

    seal_ended()

    last = second.seal
    line = chain.seal_line(last, second.tallies.all())
    assert last.previous == first.seal.head
    assert last.head == hashlib.sha256(line).hexdigest()
    assert json.loads(line)["previous"] == first.seal.head


@pytest.mark.parametrize("status", ["draft", "sending", "paused", "scheduled"])
def test_what_goes_on_is_not_sealed(status):
    times = {"scheduled_for": NOW} if status == "scheduled" else {}
    make_notification(status=status, **times)

    assert seal_ended() == 0


@pytest.mark.parametrize("status", ["queued", "sending"])
def test_a_stopped_one_is_not_sealed_while_a_call_is_open(status):
    make_delivery(make_notification(status="cancelled"), status=status)

    assert seal_ended() == 0


def test_the_oldest_end_is_sealed_first():
    late = make_notification(status="completed", finished_at=NOW)
    early = make_notification(status="completed", finished_at=NOW - timedelta(hours=1))

    seal_ended()

    assert (early.seal.number, late.seal.number) == (1, 2)


def test_another_sealer_that_was_faster():
    notification = make_notification(status="completed")
    same = Notification.objects.get(pk=notification.pk)
    sealing.seal_notification(same)

    with pytest.raises(chain.SealedByAnother):
        sealing.seal_notification(notification)

    assert Seal.objects.count() == 1
    assert Tally.objects.count() == 0


def test_a_violated_constraint_is_not_taken_for_another_sealer(monkeypatch):
    notification = make_notification(status="completed")

    def broken(_tallies):
        raise IntegrityError("another one")

    monkeypatch.setattr(Tally.objects, "bulk_create", broken)

    with pytest.raises(IntegrityError, match="another one"):
        sealing.seal_notification(notification)


def test_the_rest_is_sealed_though_another_is_faster(monkeypatch):
    make_sent_entry(make_notification(status="completed"))
    tries = iter([chain.SealedByAnother()])
    seal_due = sealing.seal_due

    def late():
        for error in tries:
            raise error
        seal_due()

    monkeypatch.setattr(sealing, "seal_due", late)

    sealing.seal_all()

    assert Seal.objects.filter(kind=Seal.Kind.NOTIFICATION).count() == 1


def test_what_the_pause_raises_ends_a_sealing():
    row = make_notification(status="completed")
    make_delivery(row, status="accepted")
    make_sent_entry(row)

    def pause():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sealing.seal_due(pause=pause)

    assert Seal.objects.count() == 0


def test_a_sealed_notification_keeps_its_row_numbers():
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status=Delivery.Status.ACCEPTED)
    make_attempt(delivery)

    seal = sealing.seal_notification(notification)

    assert [number for number, _digest in chain.LEAF.iter_unpack(seal.leaves)] == [
        delivery.pk,
        delivery.pk,
    ]


# --- rows that cannot be read -------------------------------------------------------


def ended_and_sent() -> Notification:
    row = make_notification(status="completed")
    make_delivery(row, status="accepted")
    make_sent_entry(row)
    return row


def make_unreadable(row: Notification | AuditEntry) -> None:
    """Store a value that neither Django nor the driver can load, by SQL."""
    column = "created_at" if isinstance(row, Notification) else "at"
    value = "'infinity'"
    if connection.vendor == "sqlite":
        column = "content" if isinstance(row, Notification) else "actor"
        value = "CAST(x'ff' AS text)"
    with guards_install.guards_disabled():
        sql(
            f'UPDATE "{row._meta.db_table}" SET {column} = {value} WHERE id = %s',  # noqa: S608  names of the model
            [row.pk],
        )
    with pytest.raises((DatabaseError, ValueError)):
        type(row).objects.get(pk=row.pk)


def reports() -> list[tuple[int | None, str]]:
    entries = AuditEntry.objects.filter(action="not_sealed").order_by("pk")
    return [(e.notification_number, e.detail["problem"]) for e in entries]


@pytest.mark.parametrize("block", [1, 2, 500])
def test_rows_that_cannot_be_read_prevent_no_other_seal(monkeypatch, block):
    monkeypatch.setattr(trail, "BLOCK", block)
    first, bad, last = (ended_and_sent() for _n in range(3))
    make_unreadable(bad)
    entry = AuditEntry.objects.get(notification_number=first.pk)
    third = AuditEntry.objects.create(action="paused", actor="lin.mei")
    make_unreadable(third)

    sealing.seal_due()
    sealing.seal_due()

    sealed = Notification.objects.filter(seal__isnull=False)
    assert set(sealed.values_list("pk", flat=True)) == {first.pk, last.pk}
    assert system_health.unsealed().refused == [bad.pk]
    seal = Seal.objects.get(kind=Seal.Kind.ACTIONS)
    assert seal.first_entry <= entry.pk < third.pk <= seal.last_entry
    assert seal.rows == 5  # with the report about the notification
    assert trail.unreadable_entries() == 1
    (number, problem), of_entry = reports()
    assert number == bad.pk
    assert f"notification {bad.pk}" in problem
    assert of_entry == (None, f"audit entry {third.pk} cannot be read.")
    assert str(EVENTS["not_sealed"].label)


@pytest.mark.parametrize("is_sealed_before", [True, False])
def test_an_audit_entry_that_cannot_be_read_is_named(is_sealed_before):
    entries = [
        AuditEntry.objects.create(action="paused", actor="lin.mei") for _n in range(3)
    ]
    if is_sealed_before:
        trail.seal_trail()
    make_unreadable(entries[1])
    if not is_sealed_before:
        trail.seal_trail()

    (difference,) = verify().differences

    assert difference.startswith(f"audit entry {entries[1].pk}")


def test_a_row_that_cannot_be_read_is_no_death_of_the_thread(monkeypatch):
    """Five deaths would end the worker, again and again."""
    make_unreadable(ended_and_sent())
    task = sealing_task()
    monkeypatch.setattr(task, "may_go_on", lambda: True)

    assert [task.run_once() for _n in range(6)] == [True] * 6

    assert task.deaths.counts == {}
    assert len(reports()) == 1


@pytest.mark.parametrize("error", [OverflowError, RecursionError, IntegrityError])
def test_a_row_whose_text_or_seal_fails_prevents_no_other_seal(monkeypatch, error):
    bad, good = (ended_and_sent() for _n in range(2))
    name = "append" if error is IntegrityError else "count_results"
    function = getattr(sealing, name)

    def fail(what, *arguments):
        if bad.pk in (what if isinstance(what, list) else [what.notification_id]):
            raise error("of this one")
        return function(what, *arguments)

    monkeypatch.setattr(sealing, name, fail)

    assert sealing.seal_ended() == 1

    assert Seal.objects.get().notification == good
    assert reports()[0][0] == bad.pk
    assert error.__name__ in reports()[0][1]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_an_outage_is_no_problem_of_a_row(monkeypatch, error):
    """The database fails for other rows as well."""
    number = ended_and_sent().pk
    entry = AuditEntry.objects.latest("pk")

    def fail():
        raise error("The server is gone.")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", fail)
        with pytest.raises(error):
            sealing.content_to_seal(number)
        with pytest.raises(error):
            list(trail.action_rows(entry.pk, entry.pk, unreadable=[]))

    assert sealing.content_to_seal(number)
