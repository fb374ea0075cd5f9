"""Usernames that look like those of others."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from notifications.access.usernames import permitted_username, validate_username
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


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
        "password1": PASSWORD + PASSWORD,
        "password2": PASSWORD + PASSWORD,
    }

    added = client.post("/auth/user/add/", values)
    changed = client.post(f"/auth/user/{other.pk}/change/", {"username": "1in.mei"})

    for page in (added, changed):
        assert "one that looks like it" in page.text
    assert User.objects.count() == 2
    other.refresh_from_db()
    assert other.username == "wang.fang"
