"""Security headers and cookies of all responses, with HTTPS and without."""

import importlib.util
import socket

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

from notifications.console import site
from tests.addresses import Visitor, addresses_about, make_people
from tests.environment import ROOT
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src "
    "'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DENIED = ("camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()")
A_YEAR = "max-age=31536000; includeSubDomains; preload"


def use_https(settings, monkeypatch, word: str) -> None:
    """Apply the settings for ``USE_HTTPS`` on or off."""
    monkeypatch.setenv("USE_HTTPS", word)
    spec = importlib.util.spec_from_file_location(
        "notifier_site.settings.https_anew", ROOT / "notifier_site/settings/https.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in vars(module).items():
        if name.isupper():
            setattr(settings, name, value)


def is_right(response, *, secure: bool, cache_control: str = "no-store") -> bool:
    """Assert the security headers and the flags of cookies."""
    headers = response.headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert all(word in headers["Permissions-Policy"] for word in DENIED)
    assert headers["Cache-Control"] == cache_control
    assert headers.get("Strict-Transport-Security") == (A_YEAR if secure else None)
    assert "Server" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    for name, cookie in response.cookies.items():
        assert name.startswith("__Host-") == secure, name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
        assert cookie["samesite"] == "Lax", name
        assert cookie["httponly"] or cookie["max-age"] == 0, name  # 0 deletes it
        assert bool(cookie["secure"]) == secure, name
    return True


@pytest.fixture
def asked_for(monkeypatch):
    """Addresses of new network connections; the database is connected already."""
    addresses = []

    def refuse(_socket: socket.socket, *arguments: object) -> None:
        addresses.append(arguments[-1])
        raise ConnectionRefusedError

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    return addresses


@pytest.mark.parametrize(
    ("word", "names"), [("on", [None, "superuser"]), ("off", ["superuser"])]
)
def test_every_address(settings, monkeypatch, asked_for, word, names):
    use_https(settings, monkeypatch, word)
    people = make_people()
    addresses = addresses_about(people)
    secure = word == "on"
    assert len(addresses) > 50

    for person in names:
        visitor = Visitor(people.get(person), secure=secure)
        for name, address in addresses.items():
            assert is_right(visitor.request("GET", address), secure=secure), name
            if secure:
                assert is_right(visitor.undone("POST", address), secure=True), name
            # The worker calls Tencent, no page.
            assert asked_for == [], name


@pytest.fixture
def superuser():
    client = Client(raise_request_exception=False)
    client.force_login(make_user(superuser=True))
    return client


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere/", 404), ("/static/nothing.css", 404), ("/", 500)]
)
def test_what_is_missing_or_broken(superuser, monkeypatch, path, status):
    def fail(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr(site.overview_presentation, "overview_context", fail)

    response = superuser.get(path)

    assert response.status_code == status
    assert is_right(response, secure=False)


@pytest.mark.parametrize("word", ["on", "off"])
@pytest.mark.parametrize("secure", [True, False])
def test_a_name_that_is_not_ours_gets_nothing(settings, monkeypatch, word, secure):
    use_https(settings, monkeypatch, word)

    response = Client().get("/login/", secure=secure, headers={"host": "evil.example"})

    assert response.status_code == 400
    assert b"evil" not in response.content
    assert is_right(response, secure=secure and word == "on")


def test_a_form_without_its_secret():
    response = Client(enforce_csrf_checks=True).post("/login/", {"login": "x"})

    assert response.status_code == 403
    assert is_right(response, secure=False)


def test_the_way_to_https(settings, monkeypatch):
    use_https(settings, monkeypatch, "on")

    response = Client().get("/history/?q=1")

    assert response.status_code == 301
    assert response["Location"] == "https://testserver/history/?q=1"
    # Kept by browsers that came over HTTPS only: console/middleware.py.
    assert response.cookies.pop("__Host-redirected")["secure"]
    assert is_right(response, secure=False)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "X"])
@pytest.mark.parametrize("path", ["/", "/login/", "/language/setlang/", "/nowhere/"])
def test_other_methods_are_refused(superuser, method, path):
    response = superuser.generic(method, path)

    assert (response.status_code, response.content) == (405, b"")
    assert response["Allow"] == "GET, HEAD, POST"
    assert is_right(response, secure=False)


def test_only_files_whose_name_changes_with_them_are_kept():
    address = staticfiles_storage.url("notifications/ui/tokens.css")

    for path, cache_control in [
        (address, "max-age=315360000, public, immutable"),
        ("/static/notifications/ui/tokens.css", "max-age=60, public"),
    ]:
        response = Client().get(path)
        assert response.status_code == 200
        assert b"".join(response.streaming_content)
        assert is_right(response, secure=False, cache_control=cache_control)


def test_a_login_through_https(settings, monkeypatch):
    use_https(settings, monkeypatch, "on")
    make_user()
    client = Client(enforce_csrf_checks=True)

    page = client.get("/login/", secure=True)
    fields = {
        "login": "lin.mei",
        "password": PASSWORD,
        "csrfmiddlewaretoken": page.context["csrf_token"],
        "next": "/",
    }
    origin = {"referer": "https://testserver/login/"}
    answer = client.post("/login/", fields, secure=True, headers=origin)
    inside = client.get("/", secure=True)
    language = {
        "language": "zh-hans",
        "csrfmiddlewaretoken": inside.context["csrf_token"],
    }
    chosen = client.post("/language/setlang/", language, secure=True, headers=origin)

    assert (answer.status_code, inside.status_code) == (302, 200)
    assert all(is_right(a, secure=True) for a in (page, answer, inside, chosen))
    assert set(client.cookies) == {
        "__Host-sessionid",
        "__Host-csrftoken",
        "__Host-language",
    }
