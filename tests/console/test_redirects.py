"""Targets of redirects, and content types."""

import pytest
from django.urls import reverse

from notifications import permissions
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example",
    "https:evil.example", "javascript:alert(1)", "http://testserver@evil.example/",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_to_another_site(target, client):
    person = make_user(permissions.AUDITOR, username="wang.fang")
    login = {"username": person.username, "password": PASSWORD, "next": target}

    answers = [
        client.post(reverse("set_language"), {"language": "en", "next": target}),
        client.post(reverse("set_language"), {"language": "en"}, headers={"referer": target}),
        client.post(reverse("admin:login"), login),
        client.get(reverse("admin:login"), {"next": target}),  # already logged in
        client.post(reverse("admin:logout"), {"next": target}),
    ]  # fmt: skip

    led = [answer["Location"] for answer in answers if answer.status_code == 302]
    assert led == ["/"] * 4
    assert answers[-1].status_code == 200
    assert "evil.example" not in answers[-1].text


def test_every_answer_names_its_kind(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))

    kinds = {
        address: client.get(address)["Content-Type"]
        for address in ("/", "/jsi18n/", "/write/groups/?q=x", "/no/such/page/")
    }
    assert kinds == {
        "/": "text/html; charset=utf-8",
        "/jsi18n/": 'text/javascript; charset="utf-8"',
        "/write/groups/?q=x": "application/json",
        "/no/such/page/": "text/html; charset=utf-8",
    }
