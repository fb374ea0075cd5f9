"""Login, logout and error pages."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.template import loader
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import permissions
from notifications.console import site
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def log_in_with(**values) -> list[str]:
    answer = Client().post("/login/", {"login": "lin.mei", "next": "/"} | values)
    return answer.context["form"].non_field_errors() if answer.context else []


def test_a_failed_login_says_one_sentence_whatever_was_wrong():
    make_user(permissions.AUDITOR)
    make_user(username="gone", is_active=False)
    make_user(username="outside", is_staff=False)
    sentence = ["Username or password is wrong. Capital letters count."]

    assert log_in_with(password="wrong") == sentence
    assert log_in_with(password=PASSWORD, login="nobody") == sentence
    assert log_in_with(password=PASSWORD, login="gone") == sentence
    assert log_in_with(password=PASSWORD, login="outside") == sentence
    assert log_in_with(password=PASSWORD) == []


def test_logging_out_ends_on_a_page_that_leads_back(log_in):
    client = log_in(make_user(permissions.AUDITOR))

    page = client.post("/logout/").content.decode()

    assert "Logged out" in page
    assert 'href="/login/"' in page
    assert client.get("/").status_code == 302


def test_changing_the_own_password(log_in):
    client = log_in(make_user(permissions.AUDITOR))
    new = "another long pass phrase"
    values = {"new_password1": new, "new_password2": new}

    wrong = client.post("/password_change/", values | {"old_password": "wrong"})
    done = client.post(
        "/password_change/", values | {"old_password": PASSWORD}, follow=True
    )

    assert wrong.context["form"].errors == {
        "old_password": [
            "Your old password was entered incorrectly. Please enter it again."
        ]
    }
    assert "Your password is changed." in done.content.decode()
    assert User.objects.get().check_password(new)


def test_a_form_without_its_secret_changes_nothing():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(permissions.COMMUNITY_MANAGER))

    answer = client.post("/logout/")

    assert answer.status_code == 403
    assert "Nothing was saved or sent." in answer.content.decode()
    assert client.get("/").status_code == 200


def test_an_unknown_address_has_the_frame(log_in):
    answer = log_in(make_user(permissions.AUDITOR)).get("/nowhere/")

    assert answer.status_code == 404
    assert "Nothing is at this address." in answer.content.decode()
    assert 'id="app-nav"' in answer.content.decode()


def test_who_is_not_logged_in_sees_no_menu():
    make_user()
    answer = Client().get("/write/1/check/", follow=True)
    refused = Client(enforce_csrf_checks=True).post("/login/", {"login": "x"})

    assert answer.redirect_chain == [("/login/?next=/write/1/check/", 302)]
    assert refused.status_code == 403
    assert 'id="app-nav"' not in refused.content.decode()


def test_the_page_of_a_fault_asks_nothing_of_what_may_be_broken():
    with CaptureQueriesContext(connection) as queries:
        page = loader.get_template("500.html").render()

    assert "Something broke" in page
    assert len(queries) == 0


def test_a_fault_tells_no_details(log_in, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("password=hush")

    monkeypatch.setattr(site.overview_presentation, "overview_context", fail)
    client = log_in(make_user(permissions.AUDITOR))
    client.raise_request_exception = False

    answer = client.get("/")

    assert answer.status_code == 500
    assert "Something broke" in answer.text
    for detail in ("hush", "RuntimeError", "Traceback", "overview_context"):
        assert detail not in answer.text
