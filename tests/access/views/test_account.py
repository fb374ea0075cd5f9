"""The Account page and its sessions; ending all sessions of another person."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import permissions
from notifications.access.queries import browser_label
from notifications.models import LoginSession
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ACCOUNT = "/account/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def come_in(user_agent: str, address: str = "198.51.100.9") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": user_agent})
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    return client


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def is_inside(client: Client) -> bool:
    return client.get(ACCOUNT).status_code == 200


def test_who_one_is_and_where_one_is_logged_in():
    make_user(permissions.AUDITOR, first_name="Mei", last_name="Lin")
    here = come_in(FIREFOX)
    there = come_in("curl/8.5.0", "203.0.113.5")

    page = here.get(ACCOUNT)
    text = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())

    assert (
        "Username lin.mei Mei Lin Roles Auditor Email – Change the email address Password Change password"
        in text
    )
    assert [
        (session.address, browser, is_present)
        for session, browser, is_present in page.context["sessions"]
    ] == [
        ("203.0.113.5", "curl/8.5.0", False),
        ("198.51.100.9", "Firefox on Linux", True),
    ]
    assert "Since (UTC)" in text
    assert text.count("This session") == 1
    for client in (here, there):
        assert client.session.session_key not in page.content.decode()


def test_one_of_them_is_ended():
    make_user()
    here, there, third = come_in(FIREFOX), come_in("B"), come_in("C")
    chosen = LoginSession.objects.get(browser="B").public_id

    answer = here.post(ACCOUNT + "end/", {"session": chosen}, follow=True)
    again = here.post(ACCOUNT + "end/", {"session": chosen}, follow=True)

    assert said(answer) == ["That session is ended."]
    assert said(again) == ["That session had ended already."]
    assert [is_inside(client) for client in (here, there, third)] == [True, False, True]


def test_all_but_this_one_are_ended():
    make_user()
    here, there, third = come_in(FIREFOX), come_in("B"), come_in("C")

    answer = here.post(ACCOUNT + "end-others/", follow=True)
    again = here.post(ACCOUNT + "end-others/", follow=True)

    assert said(answer) == ["2 sessions are ended."]
    assert said(again) == ["No other session was open."]
    assert "Log out everywhere else" not in again.content.decode()
    assert [is_inside(client) for client in (here, there, third)] == [
        True,
        False,
        False,
    ]


def test_a_new_password_of_ones_own_ends_all_other_sessions():
    make_user()
    here, there = come_in(FIREFOX), come_in("B")
    new = "another long pass phrase"
    fields = {"new_password1": new, "new_password2": new}

    here.post("/password_change/", fields | {"old_password": "wrong"})
    assert is_inside(there)
    here.post("/password_change/", fields | {"old_password": PASSWORD})

    assert [is_inside(client) for client in (here, there)] == [True, False]


def test_an_administrator_logs_somebody_out(log_in):
    person = make_user()
    there = come_in(FIREFOX)
    administrator = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR, username="zhao"))
    address = f"/auth/user/{person.pk}/change/"

    shown = " ".join(administrator.get(address).content.decode().split())
    answer = administrator.post(f"/people/{person.pk}/log-out/", follow=True)

    assert "1 session is open." in shown
    assert said(answer) == ["1 session is ended."]
    assert "Not logged in anywhere." in answer.content.decode()
    assert not is_inside(there)


def test_not_a_superuser_nor_somebody_who_is_not_there(log_in):
    chief = make_user(superuser=True, username="chief")
    inside = log_in(chief)
    administrator = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR, username="zhao"))

    page = administrator.get(f"/auth/user/{chief.pk}/change/")
    refused = administrator.post(f"/people/{chief.pk}/log-out/")

    assert "Log out everywhere" not in page.content.decode()
    assert refused.status_code == 403
    assert administrator.post("/people/999999/log-out/").status_code == 404
    assert is_inside(inside)


def test_as_many_queries_with_three_sessions_as_with_one(log_in):
    user = make_user(permissions.AUDITOR)
    client = log_in(user)
    counts = []
    for _more in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(ACCOUNT)
        counts.append(len(queries))
        log_in(user), log_in(user)

    # Session, person, roles, second factors, sessions, permissions,
    # switch, worker.
    assert counts == [8, 8]


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.6 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60",
            "WeChat on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 41, "x" * 40 + "…"),
        ("", "–"),
    ],
)
def test_a_browser_in_words(user_agent, words):
    assert browser_label(user_agent) == words
