"""The actor of an entry: copied from the origin if it is the same person."""

import pytest
from django.contrib.auth.models import AnonymousUser

from notifications import audit_log
from notifications.audit_log import Origin
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import ALL_STOPPED
from notifications.models import AuditEntry
from notifications.record.trail import action_line
from tests.factories import MOMENT, make_user

pytestmark = pytest.mark.django_db


def written(actor: str) -> AuditEntry:
    audit_log.write(ALL_STOPPED, actor)
    return AuditEntry.objects.latest("id")


def test_name_right_address_and_number_are_copied():
    person = make_user(superuser=True, first_name="Mei", last_name="Lin")
    click = Origin(lambda: person, "192.0.2.7")

    with audit_log.origin(click):
        first, second = written("lin.mei"), written("lin.mei")

    assert (first.actor_name, first.by_superuser, first.address) == (
        "Mei Lin",
        True,
        "192.0.2.7",
    )
    assert first.request_number == second.request_number == click.number


def test_another_actor_does_not_get_the_name_of_the_person():
    person = make_user(superuser=True, first_name="Mei")

    with audit_log.origin(Origin(lambda: person, "192.0.2.7")):
        entry = written("worker 3")

    assert (entry.actor_name, entry.by_superuser) == ("", False)
    assert entry.address == "192.0.2.7"


@pytest.mark.parametrize("person", [None, AnonymousUser()])
def test_an_origin_without_a_person(person):
    with audit_log.origin(Origin(lambda: person)):
        entry = written("lin.mei")

    assert (entry.actor_name, entry.address) == ("", "")
    assert entry.request_number is not None


def test_outside_of_an_origin():
    with audit_log.origin(Origin()):
        with audit_log.origin(None):
            inside = written("lin.mei")
        assert audit_log.current_origin() is not None
    after = written("lin.mei")

    assert (inside.request_number, after.request_number) == (None, None)
    assert audit_log.current_origin() is None


def test_two_runs_have_two_numbers():
    assert Origin().number != Origin().number


def test_a_very_long_name_is_cut():
    person = make_user(first_name="x" * 150, last_name="y" * 150)

    with audit_log.origin(Origin(lambda: person)):
        entry = written("lin.mei")

    assert entry.actor_name == "x" * 150


def test_a_made_up_past_has_its_own_time():
    audit_log.write(SENT, "lin.mei", notification=1, at=MOMENT, groups=1)

    assert AuditEntry.objects.get().at == MOMENT
    assert AuditEntry.objects.get().detail == {"groups": 1}


def test_only_an_event_is_written():
    with pytest.raises(AttributeError):
        audit_log.write("all_stopped", "lin.mei")

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_a_file_name_in_another_encoding_can_be_stored():
    audit_log.write(ALL_STOPPED, "import", file="\udcd7\udce9.csv")

    entry = AuditEntry.objects.get()
    assert entry.detail == {"file": "??.csv"}
    assert action_line(entry)
