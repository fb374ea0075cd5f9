"""People and roles that were changed by SQL differ from the audit trail."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, Permission, User
from django.db import connection

from notifications import permissions
from notifications.access.services import people
from notifications.access.services.people_check import people_differences
from notifications.models import AuditEntry
from notifications.record.verification import verify
from tests.factories import make_user
from tests.management.running import run
from tests.record.tampering import sql

pytestmark = pytest.mark.django_db

CLERK = "Clerk"


@pytest.fixture
def administrator() -> User:
    return make_user(username="admin", superuser=True)


@pytest.fixture
def person(administrator) -> User:
    """Added and changed in the console."""
    user = make_user(permissions.AUDITOR, username="wang.fang", first_name="芳")
    people.record_person("admin", user.pk, None)
    before = people.values_of_person(user.pk)
    user.username = "fang"
    user.groups.add(role_of(administrator))
    user.save()
    people.record_person("admin", user.pk, before)
    return user


def role_of(user: User) -> Group:
    role = Group.objects.create(name="Assistant")
    people.record_role(user, role.pk, None)
    before = people.values_of_role(role.pk)
    role.name = CLERK
    role.save()
    people.record_role(user, role.pk, before)
    return role


def differences() -> list[str]:
    return list(people_differences())


def test_what_the_console_changed_is_no_difference(person, administrator):
    """The administrator is the first superuser, added by ``createsuperuser``."""
    assert differences() == []

    before = people.values_of_person(administrator.pk)
    User.objects.filter(pk=administrator.pk).update(email="admin@example.com")
    people.record_person("admin", administrator.pk, before)
    people.delete_role(administrator, Group.objects.get(name=CLERK).pk)

    assert differences() == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"is_superuser": True}, "is_superuser"),
        ({"is_active": False, "email": "x@example.com"}, "email, is_active"),
        ({"first_name": ""}, "first_name"),
        ({"is_staff": False}, "is_staff"),
    ],
)
def test_a_person_who_was_changed(person, changes, fields):
    User.objects.filter(pk=person.pk).update(**changes)

    assert differences() == [f"user fang was changed outside of the console: {fields}."]


def test_a_person_who_was_renamed_or_got_another_role(person):
    person.groups.remove(Group.objects.get(name=permissions.AUDITOR))
    assert differences() == ["user fang was changed outside of the console: roles."]

    User.objects.filter(pk=person.pk).update(username="other")
    assert differences() == [
        "user other was added or renamed outside of the console.",
        "user fang was removed or renamed outside of the console.",
    ]


def test_a_role_that_allows_more(person):
    Group.objects.get(name=CLERK).permissions.add(Permission.objects.first())

    assert differences() == [
        f"role {CLERK} was changed outside of the console: permissions."
    ]


def test_verify_history_names_them(person):
    User.objects.filter(pk=person.pk).update(is_superuser=True)

    code, _out, err = run("verify_history")

    assert code == 1
    assert "user fang was changed outside of the console: is_superuser." in err


@pytest.mark.parametrize("detail", [{}, [], 5, {"person": "x", "before": 1}])
def test_an_entry_without_a_readable_detail_is_named(person, detail):
    entry = AuditEntry.objects.create(
        action="person_changed", actor="admin", detail=detail
    )

    assert differences() == [f"audit entry {entry.pk} has no readable detail."]
    assert verify().unchanged


def test_rights_that_were_given_by_sql_are_named(person):
    send = Permission.objects.get(codename="send_notification")
    person.user_permissions.add(send)
    Group.objects.get(name=permissions.AUDITOR).permissions.add(send)
    Group.objects.create(name="Ghosts")

    assert differences() == [
        "user fang has a permission that the console cannot give.",
        "role Ghosts was added or renamed outside of the console.",
        "role Auditor was changed outside of the console: permissions.",
    ]


@pytest.mark.parametrize("values", [{}, {"superuser": True}, {"is_staff": False}])
def test_a_person_who_was_added_by_sql_is_named_until_the_values_are_accepted(
    administrator, values
):
    """The second superuser as well; the console makes every person staff."""
    person = make_user(permissions.AUDITOR, username="ghost", **values)
    assert differences() == ["user ghost was added or renamed outside of the console."]

    change(person, first_name="芳", is_staff=True)
    names = ["is_active", *(["is_superuser"] if person.is_superuser else []), "roles"]
    assert differences() == [
        f"user ghost was changed outside of the console: {', '.join(names)}."
    ]

    change(person, is_active=False, is_superuser=False)
    roles = list(person.groups.all())
    before = people.values_of_person(person.pk)
    person.groups.clear()
    people.record_person("admin", person.pk, before)
    assert differences() == []
    change(person, is_active=True)
    before = people.values_of_person(person.pk)
    person.groups.set(roles)
    people.record_person("admin", person.pk, before)
    assert differences() == []


def change(person: User, **values) -> None:
    before = people.values_of_person(person.pk)
    User.objects.filter(pk=person.pk).update(**values)
    people.record_person("admin", person.pk, before)


@pytest.mark.parametrize(
    ("values", "field"), [({"is_staff": False}, "is_staff"), ({}, "roles")]
)
def test_the_first_superuser_is_compared_in_what_the_command_does_not_set(
    administrator, values, field
):
    User.objects.filter(pk=administrator.pk).update(**values)
    if field == "roles":
        administrator.groups.add(Group.objects.get(name=permissions.AUDITOR))

    assert differences() == [f"user admin was changed outside of the console: {field}."]


def test_a_superuser_without_the_flag_does_not_get_it_back(administrator):
    make_user(username="second", superuser=True)
    change(administrator, is_superuser=False)
    assert differences() == ["user second was added or renamed outside of the console."]

    User.objects.filter(pk=administrator.pk).update(is_superuser=True)
    assert differences() == [
        "user admin was changed outside of the console: is_superuser.",
        "user second was added or renamed outside of the console.",
    ]


@pytest.mark.parametrize("renamed", [True, False])
def test_a_shipped_role_without_an_entry(administrator, renamed):
    role = Group.objects.filter(name=permissions.AUDITOR)
    if renamed:
        role.update(name="Eyes")
    else:
        role.delete()

    added = ["role Eyes was added or renamed outside of the console."]
    gone = "role Auditor was removed or renamed outside of the console."
    assert differences() == [*(added if renamed else []), gone]


def test_a_shipped_role_that_the_console_deleted(administrator):
    """``migrate`` creates it again, without an entry."""
    people.delete_role(administrator, Group.objects.get(name=permissions.AUDITOR).pk)
    assert differences() == []

    permissions.make_missing_roles()
    assert differences() == []
    Group.objects.get(name=permissions.AUDITOR).permissions.clear()
    assert differences() == [
        "role Auditor was changed outside of the console: permissions."
    ]


UNREADABLE = {
    "sqlite": [
        (User, "user", "first_name", "CAST(x'41ff' AS text)"),
        (Group, "role", "name", "CAST(x'41ff' AS text)"),
        (SocialAccount, "identity", "uid", "CAST(x'41ff' AS text)"),
    ],
    "postgresql": [
        (User, "user", "date_joined", "'infinity'"),
    ],
}


@pytest.mark.parametrize(
    ("model", "noun", "column", "value"), UNREADABLE[connection.vendor]
)
def test_a_value_that_cannot_be_read_is_named(
    person, administrator, model, noun, column, value
):
    """The other people are compared."""
    SocialAccount.objects.create(
        user=person, provider="corp", uid="https://id.example.com fang"
    )
    other = make_user(username="chen.jie")
    people.record_person(administrator.username, other.pk, None)
    User.objects.filter(pk=other.pk).update(email="x@example.com")
    row = (
        Group.objects.get(name=CLERK)
        if model is Group
        else model.objects.get(
            **{"user" if model is SocialAccount else "pk": person.pk}
        )
    )
    sql(
        f'UPDATE "{model._meta.db_table}" SET {column} = {value} WHERE id = %s',  # noqa: S608  names of the models
        [row.pk],
    )

    sentences = differences()

    assert f"{noun} {row.pk}: the value of {column} cannot be read." in sentences
    assert "user chen.jie was changed outside of the console: email." in sentences
