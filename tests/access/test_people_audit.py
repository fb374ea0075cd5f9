"""Audit entries of changed people and roles: old and new values, no password."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group

from notifications import permissions
from notifications.models import AuditEntry
from tests.edit_forms import save_form
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

PEOPLE = "/auth/user/"
ROLES = "/auth/group/"
SECRET = "a long enough pass phrase"


@pytest.fixture
def chief():
    return make_user(superuser=True, username="chief")


@pytest.fixture
def inside(log_in, chief):
    return log_in(chief)


def written() -> AuditEntry:
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.by_superuser) == ("chief", True)
    assert SECRET not in str(entry.detail)
    return entry


def test_a_new_person(inside):
    auditor = Group.objects.get(name=permissions.AUDITOR)

    inside.post(
        PEOPLE + "add/",
        {
            "username": "wang.fang",
            "first_name": "Fang",
            "groups": [auditor.pk],
        },
    )

    link = AuditEntry.objects.latest("id")
    assert (link.action, link.detail) == (
        "link_made",
        {"person": "wang.fang", "way": "shown"},
    )
    entry = AuditEntry.objects.earliest("id")
    assert (entry.action, entry.detail) == (
        "person_added",
        {
            "person": "wang.fang",
            "before": {},
            "after": {
                "username": "wang.fang",
                "first_name": "Fang",
                "is_active": True,
                "is_staff": True,
                "roles": ["Auditor"],
            },
        },
    )


def test_a_changed_person(inside):
    other = make_user(permissions.AUDITOR, username="other", email="o@example.com")
    manager = Group.objects.get(name=permissions.COMMUNITY_MANAGER)

    save_form(
        inside,
        f"{PEOPLE}{other.pk}/change/",
        {
            "username": "renamed",
            "email": "o@example.com",
            "is_superuser": "on",
            "groups": [manager.pk],
        },
    )

    entry = written()
    assert (entry.action, entry.detail) == (
        "person_changed",
        {
            "person": "renamed",
            "before": {
                "username": "other",
                "is_active": True,
                "is_superuser": False,
                "roles": ["Auditor"],
            },
            "after": {
                "username": "renamed",
                "is_active": False,
                "is_superuser": True,
                "roles": ["Community manager"],
            },
        },
    )


def test_saving_a_person_unchanged_is_no_entry(inside):
    other = make_user(username="other")

    address = f"{PEOPLE}{other.pk}/change/"
    save_form(inside, address, {"username": "other", "is_active": "on"})

    assert not AuditEntry.objects.exists()


def test_a_refused_change_is_no_entry(log_in, chief):
    administrator = make_user(permissions.PEOPLE_ADMINISTRATOR)

    log_in(administrator).post(
        f"{PEOPLE}{chief.pk}/change/", {"username": "taken.over"}
    )

    assert not AuditEntry.objects.exists()


def test_an_own_password(inside):
    values = {"new_password1": SECRET, "new_password2": SECRET}

    inside.post("/password_change/", values | {"old_password": "wrong"})
    assert written().action == "login_refused"
    inside.post("/password_change/", values | {"old_password": PASSWORD})

    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.detail) == ("password_changed", {"person": "chief"})


def test_guessing_ones_own_password_locks_out(inside):
    values = {"new_password1": SECRET, "new_password2": SECRET}
    guess = values | {"old_password": "wrong"}

    codes = [inside.post("/password_change/", guess).status_code for _more in range(5)]
    right = inside.post("/password_change/", values | {"old_password": PASSWORD})

    assert (codes, right.status_code) == ([200, 200, 200, 200, 429], 429)
    stored = str(AccessAttempt.objects.values())
    assert SECRET not in stored
    assert "wrong" not in stored


def test_a_role_from_its_beginning_to_its_end(inside):
    see, export = permissions.permission_rows(
        [permissions.SEE_HISTORY, permissions.EXPORT_HISTORY]
    )

    inside.post(ROLES + "add/", {"name": "Eyes", "permissions": [see.pk]})
    role = Group.objects.get(name="Eyes")
    make_user(username="other").groups.add(role)
    change = f"{ROLES}{role.pk}/change/"
    for _twice in range(2):
        rights = [see.pk, export.pk]
        save_form(inside, change, {"name": "Eyes", "permissions": rights})
    page = inside.get(f"{ROLES}{role.pk}/delete/")
    shown = page.context["shown"]
    inside.post(f"{ROLES}{role.pk}/delete/", {"post": "yes", "shown": shown})

    history, download = "notifications.view_history", "notifications.export_history"
    entries = AuditEntry.objects.filter(actor="chief").order_by("id")
    assert list(entries.values_list("action", "detail")) == [
        (
            "role_added",
            {
                "role": "Eyes",
                "before": {},
                "after": {"name": "Eyes", "permissions": [history]},
            },
        ),
        (
            "role_changed",
            {
                "role": "Eyes",
                "before": {"permissions": [history]},
                "after": {"permissions": [download, history]},
            },
        ),
        (
            "role_deleted",
            {
                "role": "Eyes",
                "before": {"name": "Eyes", "permissions": [download, history]},
                "after": {},
                "people": 1,
                "named": ["other"],
            },
        ),
    ]
