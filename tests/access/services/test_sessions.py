"""Ending sessions: by a person, by an administrator, and after changes of rights."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client

from notifications import permissions
from notifications.access.services import people, sessions
from notifications.models import AuditEntry, LoginSession, stored_key
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief():
    return make_user(superuser=True, username="chief")


@pytest.fixture
def auditor():
    return make_user(permissions.AUDITOR, username="wang.fang")


def come_in(user) -> str:
    client = Client()
    client.force_login(user)
    return stored_key(client.session.session_key)


def still_open() -> set[str]:
    return set(LoginSession.objects.values_list("pk", flat=True))


def entries() -> list[tuple[str, dict]]:
    rows = AuditEntry.objects.filter(action="sessions_ended").order_by("id")
    return list(rows.values_list("actor", "detail"))


def test_one_of_ones_own(auditor, chief):
    here, there, other = come_in(auditor), come_in(auditor), come_in(chief)
    names = {row.pk: row.public_id for row in LoginSession.objects.all()}

    # Neither the current session nor that of another person can be ended.
    for chosen in (names[here], names[other], "", there):
        assert sessions.end_one(auditor, chosen, present=here) == 0
    assert sessions.end_one(auditor, names[there], present=here) == 1
    assert sessions.end_one(auditor, names[there], present=here) == 0

    assert still_open() == {here, other}
    assert entries() == [("wang.fang", {"person": "wang.fang", "sessions": 1})]


def test_all_others_of_ones_own(auditor, chief):
    here, other = come_in(auditor), come_in(chief)
    come_in(auditor), come_in(auditor)

    assert sessions.end_others(auditor, present=here) == 2
    assert sessions.end_others(auditor, present=here) == 0

    assert still_open() == {here, other}
    assert entries() == [("wang.fang", {"person": "wang.fang", "sessions": 2})]


def test_all_of_somebody(auditor, chief):
    administrator = make_user(permissions.PEOPLE_ADMINISTRATOR, username="zhao")
    come_in(auditor), come_in(auditor)
    safe = come_in(chief)

    assert sessions.end_sessions_of(administrator, auditor) == 2
    with pytest.raises(PermissionDenied, match="may do everything can log this"):
        sessions.end_sessions_of(administrator, chief)
    with pytest.raises(PermissionDenied, match="Ask whoever gives out roles"):
        sessions.end_sessions_of(auditor, administrator)

    assert still_open() == {safe}
    assert entries() == [("zhao", {"person": "wang.fang", "sessions": 2})]


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (lambda person: setattr(person, "is_active", False), True),
        (lambda person: setattr(person, "is_superuser", True), True),
        (lambda person: person.groups.clear(), True),
        (lambda person: setattr(person, "first_name", "Fang"), False),
    ],
    ids=["switched off", "superuser", "roles", "name"],
)
def test_other_rights_end_the_sessions_of_a_person(chief, auditor, change, ends):
    present, lost = come_in(chief), come_in(auditor)
    before = people.values_of_person(auditor.pk)

    change(auditor)
    auditor.save()
    people.record_person(chief.username, auditor.pk, before, present=present)

    assert still_open() == ({present} if ends else {present, lost})
    assert len(entries()) == ends


def test_who_changes_himself_stays_where_he_is(chief):
    here = come_in(chief)
    come_in(chief)
    before = people.values_of_person(chief.pk)

    chief.groups.add(Group.objects.get(name=permissions.AUDITOR))
    people.record_person(chief.username, chief.pk, before, present=here)

    assert still_open() == {here}


def test_a_new_password_ends_the_sessions_of_its_person(chief, auditor):
    other, present = come_in(chief), come_in(auditor)
    come_in(auditor)

    people.record_password(auditor, present=present)

    assert still_open() == {other, present}
    assert entries() == [("wang.fang", {"person": "wang.fang", "sessions": 1})]


@pytest.mark.parametrize("deleted", [True, False])
def test_a_role_that_allows_something_else_concerns_all_who_have_it(
    chief, auditor, deleted
):
    role = Group.objects.get(name=permissions.AUDITOR)
    another = make_user(permissions.AUDITOR, username="another")
    manager = make_user(permissions.COMMUNITY_MANAGER)
    expected = {come_in(chief), come_in(manager)}
    come_in(auditor), come_in(another), come_in(another)

    if deleted:
        people.delete_role(chief, role.pk)
    else:
        before = people.values_of_role(role.pk)
        role.permissions.clear()
        people.record_role(chief, role.pk, before)

    assert still_open() == expected
    assert entries() == [
        ("chief", {"person": "another", "sessions": 2}),
        ("chief", {"person": "wang.fang", "sessions": 1}),
    ]


def test_a_role_that_only_got_another_name_ends_nothing(chief, auditor):
    role = Group.objects.get(name=permissions.AUDITOR)
    before = people.values_of_role(role.pk)
    open_before = {come_in(auditor)}

    role.name = "Eyes"
    role.save()
    people.record_role(chief, role.pk, before)

    assert still_open() == open_before


def test_a_change_that_is_taken_back_ends_nothing(chief, auditor):
    expected = {come_in(auditor)}

    with transaction.atomic():
        people.record_password(auditor)
        transaction.set_rollback(True)

    assert (still_open(), entries()) == (expected, [])
