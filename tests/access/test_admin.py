"""The admin pages of people and roles: content and permissions."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import permissions
from tests.edit_forms import save_form
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PEOPLE = "/auth/user/"
ROLES = "/auth/group/"


def headings(response) -> list[str]:
    matches = re.findall(r"<h1>(.*?)</h1>", response.content.decode(), re.DOTALL)
    return [" ".join(text.split()) for text in matches]


def test_titles_are_plain(log_in):
    client = log_in(make_user(superuser=True))
    role = Group.objects.get(name=permissions.AUDITOR)
    user = make_user(username="wang.fang")
    titles = {
        PEOPLE: "People",
        PEOPLE + "add/": "Add a person",
        f"{PEOPLE}{user.pk}/change/": "wang.fang",
        f"/people/{user.pk}/link/": "A link for a new password",
        ROLES: "Roles",
        ROLES + "add/": "Add a role",
        f"{ROLES}{role.pk}/change/": "Auditor",
        f"{ROLES}{role.pk}/delete/": "Delete the role Auditor?",
        "/password_change/": "Change password",
    }

    seen = {address: headings(client.get(address)) for address in titles}

    assert seen == {address: [title] for address, title in titles.items()}


def test_a_person_is_added_with_a_role(log_in):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    auditor = Group.objects.get(name=permissions.AUDITOR)

    client.post(
        PEOPLE + "add/",
        {
            "username": "wang.fang",
            "first_name": "Fang",
            "groups": [auditor.pk],
        },
    )

    person = User.objects.get(username="wang.fang")
    assert not person.has_usable_password()
    assert (person.first_name, person.is_staff) == ("Fang", True)
    assert [role.name for role in person.groups.all()] == ["Auditor"]


def test_an_auditor_sees_neither_people_nor_roles(log_in):
    client = log_in(make_user(permissions.AUDITOR))
    role = Group.objects.get(name=permissions.AUDITOR)

    for address in (PEOPLE, PEOPLE + "add/", ROLES, f"{ROLES}{role.pk}/change/"):
        assert client.get(address).status_code == 403, address


def test_a_role_is_boxes_with_sentences(log_in):
    client = log_in(make_user(superuser=True))
    role = Group.objects.get(name=permissions.AUDITOR)
    address = f"{ROLES}{role.pk}/change/"

    field = client.get(address).context["adminform"].form.fields["permissions"]
    offered = [(str(label), value.value) for value, label in field.choices]
    chosen = [pk for sentence, pk in offered if sentence.startswith("May see the hist")]
    save_form(client, address, {"name": "Auditor", "permissions": chosen})

    assert [sentence for sentence, _pk in offered] == [
        "May write and send notifications",
        "May see the history",
        "May download the history",
        "May see the audit trail",
        "May see the groups",
        "May add groups",
        "May change groups and switch them off",
        "May save, change and delete audiences",
        "May see the System page and check the connection",
        "May see people",
        "May add people",
        "May change people and their roles",
        "May see the roles",
        "May add roles",
        "May change roles",
        "May delete roles",
    ]
    assert [p.codename for p in role.permissions.all()] == ["view_history"]


def test_every_permission_that_a_role_starts_with_has_a_sentence():
    held = {name for names in permissions.ROLE_PERMISSIONS.values() for name in names}

    assert held - set(permissions.PERMISSION_LABELS) == set()


def test_a_role_is_deleted_on_a_page_that_says_who_loses_it(log_in):
    client = log_in(make_user(superuser=True))
    make_user(permissions.AUDITOR, username="wang.fang")
    role = Group.objects.get(name=permissions.AUDITOR)
    address = f"{ROLES}{role.pk}/delete/"

    page = client.get(address)
    asked = page.content.decode()
    client.post(address, {"post": "yes", "shown": page.context["shown"]})

    assert "1 person has this role and loses what it allows." in asked
    assert not Group.objects.filter(name=permissions.AUDITOR).exists()


@pytest.mark.parametrize("address", [PEOPLE, ROLES])
def test_lists_need_as_many_queries_with_three_rows_as_with_one(log_in, address):
    client = log_in(make_user(superuser=True))
    Group.objects.exclude(name=permissions.AUDITOR).delete()
    counts = []
    for new in ((), ("b", "c")):
        for name in new:
            role = Group.objects.create(name=f"role {name}")
            role.permissions.set(
                permissions.permission_rows(permissions.ALL_PERMISSIONS)
            )
            make_user(username=name).groups.add(role)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_new_people_can_log_in_without_a_further_flag(log_in):
    client = log_in(make_user(superuser=True, username="chief"))

    client.post("/auth/user/add/", {"username": "new"})

    assert User.objects.get(username="new").is_staff


def test_people_administrators_touch_neither_superusers_nor_themselves(log_in):
    admin = make_user(permissions.PEOPLE_ADMINISTRATOR)
    chief = make_user(superuser=True, username="chief")
    other = make_user(username="other")
    client = log_in(admin)
    address = "/auth/user/{}/change/"

    for person in (chief, admin):
        assert 'name="username"' not in client.get(address.format(person.pk)).text
        client.post(address.format(person.pk), {"username": "taken.over"})
    assert 'name="username"' in client.get(address.format(other.pk)).text
    save_form(
        client,
        address.format(other.pk),
        {"username": "renamed", "is_active": "on", "is_superuser": "on"},
    )

    assert set(User.objects.values_list("username", "is_superuser")) == {
        ("lin.mei", False),
        ("chief", True),
        ("renamed", False),
    }
    assert client.get(f"/auth/user/{other.pk}/delete/").status_code == 403


def test_roles_offer_only_the_permissions_in_use(log_in):
    client = log_in(make_user(superuser=True))
    role = Group.objects.get(name=permissions.AUDITOR)

    form = client.get(f"/auth/group/{role.pk}/change/").context["adminform"].form

    offered = form.fields["permissions"].queryset
    assert offered.count() == len(permissions.ALL_PERMISSIONS)


@pytest.mark.parametrize(
    ("list_of", "asked"),
    [
        (PEOPLE, "sessions__session_key__startswith=a"),
        (PEOPLE, "sessions__pk__startswith=a"),
        (PEOPLE, "password__startswith=md5"),
        (PEOPLE, "authenticator__data__startswith=a"),
        (PEOPLE, "authenticator__data__secret__startswith=a"),
        (PEOPLE, "groups__id=1"),
        (ROLES, "user__password__startswith=md5"),
    ],
)
def test_no_address_guesses_what_rows_hold(log_in, list_of, asked):
    client = log_in(make_user(superuser=True))

    assert client.get(f"{list_of}?{asked}").status_code == 400


def test_a_role_that_changed_since_the_page_was_shown_is_not_deleted(log_in):
    client = log_in(make_user(superuser=True, username="chief"))
    role = Group.objects.create(name="Clerk")
    page = f"/auth/group/{role.pk}/delete/"
    shown = client.get(page).context["shown"]
    role.user_set.add(make_user(username="other"))

    response = client.post(page, {"post": "yes", "shown": shown}, follow=True)

    assert "Look again, then confirm." in response.content.decode()
    assert Group.objects.filter(pk=role.pk).exists()
    again = {"post": "yes", "shown": response.context["shown"]}
    assert client.post(page, again)["Location"] == "/auth/group/"
    assert not Group.objects.filter(pk=role.pk).exists()
