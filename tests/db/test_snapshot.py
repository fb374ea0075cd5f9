"""A snapshot hides later commits and does not block writers."""

import threading
from contextlib import nullcontext

import pytest
from django.db import DatabaseError, connection, transaction

from notifications.db.snapshot import snapshot
from notifications.models import AuditEntry, SendingSwitch
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)


def between() -> None:
    """The point at which the reader stops."""


def _entries() -> int:
    return AuditEntry.objects.count()


def _write() -> None:
    with transaction.atomic():
        AuditEntry.objects.create(action="sent", actor="lin.mei")


def _write_and_close() -> None:
    _write()
    connection.close()


def test_a_commit_of_another_connection_is_invisible():
    before = _entries()

    def reader() -> int:
        with snapshot():
            between()
            return _entries()

    assert interleave(reader, _write, at=f"{__name__}.between") == (before, None)
    assert _entries() == before + 1


def test_the_snapshot_is_taken_before_the_first_query():
    before = _entries()
    writer = threading.Thread(target=_write_and_close)

    with snapshot():
        writer.start()
        writer.join()
        assert _entries() == before
    assert _entries() == before + 1


def test_a_new_connection_does_not_block_writers():
    writer = threading.Thread(target=_write_and_close)
    connection.close()

    with snapshot():
        writer.start()
        writer.join(5)
        assert not writer.is_alive()
    writer.join()


def test_transactions_after_it_write_as_before():
    SendingSwitch.objects.get_or_create(pk=1)
    with snapshot():
        assert SendingSwitch.objects.get().changed_by == ""

    with transaction.atomic():
        SendingSwitch.objects.update(changed_by="lin.mei")
    if connection.vendor == "sqlite":
        assert connection.transaction_mode == "IMMEDIATE"


def test_a_generator_that_is_closed_ends_its_snapshot():
    def pieces():
        with snapshot():
            yield 1
            yield 2

    generator = pieces()
    next(generator)
    assert connection.in_atomic_block
    generator.close()
    assert not connection.in_atomic_block


def test_postgresql_refuses_to_write_in_a_snapshot():
    is_postgresql = connection.vendor == "postgresql"
    refused = pytest.raises(DatabaseError) if is_postgresql else nullcontext()
    with refused, snapshot():
        AuditEntry.objects.create(action="sent", actor="lin.mei")
