"""Usernames that look like those of others, and usernames that were used before."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction

from notifications import permissions
from notifications.access.usernames import (
    is_username_used,
    permitted_username,
    validate_username,
)
from notifications.models import UsedUsername
from tests.edit_forms import form_of, save_form
from tests.factories import make_user
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        "lin.mеi",  # with a Cyrillic letter
        "ⅼin.mei",
        "lin\u200b.mei",
        "lin.mei\u0301",
        "Lin.Mei",
        "1in.mei",
        "lln.mel",
        "lin.rnei",
        "lin mei",
    ],
)
def test_a_name_that_looks_like_that_of_another_is_refused(name):
    make_user(username="lin.mei")

    with pytest.raises(ValidationError):
        validate_username(name)


@pytest.mark.parametrize("name", ["wang.fang", "王芳", "w@ng+1_2-3", "lin.mei2"])
def test_other_names_are_not(name):
    make_user(username="lin.mei")

    validate_username(name)


def test_the_name_of_ones_own_is_no_other():
    validate_username("Lin.Mei", person=make_user(username="lin.mei").pk)


def test_a_name_of_a_provider_becomes_a_permitted_one():
    assert permitted_username("ｌin mеi") == "lin_m_i"


def test_the_pages_of_people_refuse_it(log_in):
    client = log_in(make_user(superuser=True))
    other = make_user(username="wang.fang")
    values = {
        "username": "1in.mei",
    }

    added = client.post("/auth/user/add/", values)
    changed = client.post(f"/auth/user/{other.pk}/change/", {"username": "1in.mei"})

    for page in (added, changed):
        assert "one that looks like it" in page.text
    assert User.objects.count() == 2
    other.refresh_from_db()
    assert other.username == "wang.fang"


# --- used before ---------------------------------------------------------------------


@pytest.fixture
def renamed():
    person = make_user(username="lin.mei")
    person.username = "lin.mei.2"
    person.save()
    return person


@pytest.mark.parametrize("name", ["lin.mei", "Lin.Mei", "ｌｉｎ.mei", "lin.mei.2"])
def test_a_former_name_is_refused_on_the_page(log_in, renamed, name):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR, username="admin"))
    other = make_user(username="other")

    added = client.post("/auth/user/add/", {"username": name})
    changed = save_form(
        client, f"/auth/user/{other.pk}/change/", {"username": name, "is_active": "on"}
    )

    for answer in (added, changed):
        assert "one that looks like it" in str(form_of(answer).errors["username"])
    assert set(User.objects.values_list("username", flat=True)) == {
        "lin.mei.2",
        "admin",
        "other",
    }


def test_a_person_may_get_the_own_former_name_back(renamed):
    renamed.username = "Lin.Mei"
    renamed.save()

    assert UsedUsername.objects.filter(user=renamed).count() == 2


def test_createsuperuser(renamed, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough pass phrase")
    with pytest.raises(CommandError, match="one that looks like it"):
        call_command(
            "createsuperuser",
            "--noinput",
            "--username=lin.mei",
            "--email=x@example.com",
            stdout=StringIO(),
        )


def test_that_of_a_deleted_person_stays_used():
    make_user(username="lin.mei").delete()

    with pytest.raises(ValidationError, match="one that looks like it"):
        make_user(username="lin.mei")


def test_a_login_stores_no_name(renamed, django_assert_num_queries):
    with django_assert_num_queries(1):
        renamed.save(update_fields=["last_login"])


@pytest.mark.django_db(transaction=True)
def test_two_people_get_a_name_at_once():
    one, two = interleave(
        lambda: make_user(username="lin.mei"),
        lambda: make_user(username="LIN.MEI"),
        at="notifications.access.usernames._skeleton",
    )

    results = {type(one), type(two)}
    assert User in results
    assert len(results) == 2
    assert is_username_used("Lin.Mei")
    assert User.objects.filter(username__iexact="lin.mei").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_get_names_that_look_alike_at_once():
    """Both names were free when they were checked."""

    def add(name: str) -> User:
        with transaction.atomic():
            return make_user(username=name)

    results = interleave(
        lambda: add("lin.mei"),
        lambda: add("1in.mei"),
        at="django.contrib.auth.models.User._save_table",
    )

    assert {type(result) for result in results} == {User, ValidationError}
    assert User.objects.count() == UsedUsername.objects.count() == 1
