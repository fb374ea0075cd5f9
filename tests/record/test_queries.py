"""How far the record is sealed and verified."""

import pytest

from notifications import audit_log
from notifications.models import AuditEntry
from notifications.record import queries as record_queries
from notifications.record.audit_events import VERIFIED
from notifications.record.queries import RecordState, record_state
from tests.factories import make_notification, seal_ended

pytestmark = pytest.mark.django_db


def verified(**detail):
    whole = {"only": None, "since": None, "unchanged": True}
    audit_log.write(VERIFIED, "verify_history", **whole | detail)


def test_before_anything_was_sealed():
    assert record_state() == RecordState()


def test_the_newest_seal_and_the_last_verification():
    make_notification(status="completed")
    make_notification(status="completed")
    seal_ended()
    verified(unchanged=False)
    verified()

    state = record_state()

    assert state.head == record_queries.head()
    assert state.verified_at == AuditEntry.objects.latest("id").at
    assert state.unchanged


def test_a_verification_that_found_a_change():
    verified()
    verified(unchanged=False)

    assert not record_state().unchanged


@pytest.mark.parametrize("part", [{"only": 3}, {"since": "2026-03-02T00:00:00+00:00"}])
def test_a_part_does_not_vouch_for_the_whole(part):
    verified(**part)

    assert record_state().verified_at is None
