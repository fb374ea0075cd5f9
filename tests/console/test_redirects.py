"""Targets of redirects, and content types."""

import pytest
from django.test import Client
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
    login = {"login": person.username, "password": PASSWORD, "next": target}

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


@pytest.fixture
def _https(settings):
    settings.SECURE_SSL_REDIRECT = True


LOOP = "This page would redirect to itself for ever"


@pytest.mark.usefixtures("_https")
@pytest.mark.parametrize("is_declared", [False, True])
def test_an_endless_redirect_behind_a_proxy_is_explained(settings, is_declared):
    """A browser that came over HTTPS sends the cookie; one over HTTP never has it."""
    if is_declared:  # but the proxy does not set the header
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client()
    first = client.get("/login/?next=/")
    second = client.get("/login/?next=/")

    assert (first.status_code, first["Location"]) == (
        301,
        "https://testserver/login/?next=/",
    )
    cookie = first.cookies["__Host-redirected"]
    assert (cookie["secure"], cookie["path"], cookie["httponly"]) == (True, "/", True)
    assert (second.status_code, second.text.startswith(LOOP)) == (503, True)
    assert "X-Forwarded-Proto" in second.text


@pytest.mark.usefixtures("_https")
def test_a_proxy_that_is_not_declared_is_named_at_once():
    headers = {"x-forwarded-proto": "https"}

    answer = Client().get("/login/", headers=headers)

    assert (answer.status_code, answer.text.startswith(LOOP)) == (503, True)
    assert "Set BEHIND_TLS_PROXY=on" in answer.text
    assert Client().get("/healthz", headers=headers).status_code == 200
    assert Client().get("/login/", headers=headers, secure=True).status_code == 200


@pytest.mark.usefixtures("_https")
def test_a_declared_proxy(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client(headers={"x-forwarded-proto": "https"})

    answers = [client.get("/login/") for _n in range(2)]
    plain = client.get("/login/", headers={"x-forwarded-proto": "http"})

    assert [answer.status_code for answer in answers] == [200, 200]
    assert plain.status_code == 301
