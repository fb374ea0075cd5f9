"""Single sign-on from the button to the Overview, and all that must not get in."""

import base64
import json
import logging
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client

from notifications import roles
from notifications.models import AuditEntry, LoginSession, OutsideLogin
from notifications.selectors.refusals import Refusal
from notifications.services import outside_logins
from notifications.sessions import SessionStore
from tests.factories import PASSWORD, make_user
from tests.sso.provider import SECRET, SUBJECT, Provider

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[str, str, dict]]:
    found = AuditEntry.objects.order_by("id")
    return list(found.values_list("action", "actor", "detail"))


def is_inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused_and_recorded(response, why: str, client: Client, actor="(unknown name)"):
    assert response.status_code == 403
    assert str(Refusal(why).label) in unescape(response.content.decode())
    assert not is_inside(client)
    detail = {"by": "sso", "why": why}
    assert entries() == [("login_refused", actor, detail)]


def test_without_the_settings_there_is_nothing(client):
    page = client.get("/login/").content.decode()

    assert "/sso/" not in page
    for address in ("/sso/", "/sso/callback/"):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404


def test_the_whole_way(client, provider, settings):
    settings.OIDC_NAME = "Keycloak"
    page = unescape(client.get("/login/?next=/history/%3Fa%3D1%26b").content.decode())
    assert "Log in with Keycloak" in page
    assert 'href="/sso/?next=/history/%3Fa%3D1%26b"' in page

    begun = client.get("/sso/?next=/history/%3Fa%3D1%26b")
    asked = parse_qs(urlsplit(begun["Location"]).query)
    assert asked["scope"] == ["openid profile email"]
    assert asked["redirect_uri"] == ["http://testserver/sso/callback/"]
    assert len(asked["state"][0]) == len(asked["nonce"][0]) == 32
    response = client.get(provider.consent(begun["Location"]))

    assert (response.status_code, response["Location"]) == (302, "/history/?a=1&b")
    assert "no-store" in response["Cache-Control"]
    person = User.objects.get()
    assert (person.username, person.is_staff, person.is_superuser) == (
        "mei",
        True,
        False,
    )
    assert not person.has_usable_password()
    assert OutsideLogin.objects.filter(
        user=person, issuer=provider.url, subject=SUBJECT
    ).exists()
    kept = client.session
    assert kept["sso"] is True
    assert kept["_auth_user_backend"] == "notifications.backends.OutsideBackend"
    assert not [name for name, _ in kept.items() if name.startswith("oidc")]
    overview = client.get("/").content.decode()
    assert "Your login has no role here yet." in overview
    assert "/password_change/" not in overview
    assert [(action, actor) for action, actor, _ in entries()] == [
        ("person_added", "single sign-on"),
        ("logged_in", "mei"),
    ]
    assert entries()[1][2] == {"by": "sso"}
    out = unescape(client.post("/logout/").content.decode())
    assert "Whoever came with Keycloak is still logged in there." in out


def test_a_target_elsewhere_leads_to_the_overview(visit):
    assert visit("https://evil.example/")["Location"] == "/"


def test_a_second_login_is_the_same_person_whatever_their_name_is_now(visit, provider):
    visit()
    provider.claims |= {"preferred_username": "somebody", "email": "x@example.com"}
    visit()

    assert OutsideLogin.objects.get().user == User.objects.get(username="mei")
    provider.claims["sub"] = "another"
    visit()
    assert User.objects.count() == 2


def of_another_key(provider: Provider, claims: dict) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, "RS256", headers={"kid": "1"})


def unsigned(provider: Provider, claims: dict) -> str:
    parts = [{"alg": "none", "kid": "1"}, claims]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join(part.rstrip(b"=").decode() for part in coded) + "."


def with_the_public_key_as_secret(provider: Provider, claims: dict) -> str:
    pem = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # The library refuses to make such a token, so by hand.
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    unsealed = unsigned(provider, claims).rstrip(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"1"}').rstrip(b"=")
    text = header.decode() + "." + unsealed.split(".")[1]
    seal = base64.urlsafe_b64encode(signer.sign(text.encode(), pem)).rstrip(b"=")
    return f"{text}.{seal.decode()}"


def with_the_client_secret(provider: Provider, claims: dict) -> str:
    secret = SECRET.ljust(32, "x")
    return jwt.encode(claims, secret, "HS256", headers={"kid": "1"})


def without_a_key_id(provider: Provider, claims: dict) -> str:
    return jwt.encode(claims, provider.key, "RS256")


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["notifier", "another"]},
        {"aud": ["notifier", "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": NOW - 60},
        {"exp": None},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_login(visit, provider, claims, client, caplog):
    provider.claims |= claims

    refused_and_recorded(visit(), "untrusted", client)
    assert caplog.text


@pytest.mark.parametrize(
    "sign",
    [
        of_another_key,
        unsigned,
        with_the_public_key_as_secret,
        with_the_client_secret,
        without_a_key_id,
        lambda *_: "no token",
        lambda *_: None,
    ],
)
@pytest.mark.parametrize("named", [{}, {"alg": "RS256"}], ids=["", "alg"])
def test_a_token_that_nobody_signed_for_it(visit, provider, sign, named, client):
    provider.keys = {"keys": [provider.public() | named]}
    provider.sign = lambda claims: sign(provider, claims)

    refused_and_recorded(visit(), "untrusted", client)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"keys": []}, "untrusted"),
        ({"keys": [{"kid": "1", "kty": "RSA", "e": "AQAB"}]}, "untrusted"),
        ({"keys": [{"kid": "1", "kty": "oct", "k": "c2VjcmV0"}]}, "untrusted"),
        ({"keys": ["x"]}, "untrusted"),
        (["x"], "untrusted"),
        (b"<html>", "unreachable"),
    ],
)
def test_keys_that_are_none(visit, provider, keys, why, client):
    provider.keys = keys

    refused_and_recorded(visit(), why, client)


@pytest.mark.parametrize("claims", [{"aud": ["notifier"]}, {"azp": "notifier"}])
def test_an_audience_may_be_a_list_and_name_us_twice(visit, provider, client, claims):
    provider.claims |= claims

    assert visit().status_code == 302
    assert is_inside(client)


def test_a_callback_that_this_browser_did_not_begin(provider, client):
    begun = Client().get("/sso/")
    stolen = provider.consent(begun["Location"])

    for address in (stolen, "/sso/callback/", "/sso/callback/?state=x&error=y"):
        response = client.get(address)
        assert response.status_code == 403
        assert str(Refusal.LOST.label) in unescape(response.content.decode())
    assert not is_inside(client)
    assert entries() == []  # or anybody could fill the audit trail


def test_a_callback_counts_once(provider, client):
    address = provider.consent(client.get("/sso/")["Location"])

    assert client.get(address).status_code == 302
    assert client.get(address).status_code == 403


def test_a_code_that_was_used_already(provider, client):
    code = parse_qs(provider.consent(client.get("/sso/")["Location"]))
    provider.codes.clear()
    state = code["state"][0]

    response = client.get("/sso/callback/", {"code": "x", "state": state})

    refused_and_recorded(response, "provider", client)


def test_the_provider_says_no_and_who_is_inside_stays(provider, client):
    client.force_login(make_user())
    location = client.get("/sso/")["Location"]
    state = parse_qs(urlsplit(location).query)["state"][0]

    answer = {"error": "access_denied", "state": state}
    response = client.get("/sso/callback/", answer)

    assert str(Refusal.PROVIDER.label) in unescape(response.content.decode())
    assert is_inside(client)
    assert (
        client.get("/sso/callback/", {"code": "x", "state": state}).status_code == 403
    )


@pytest.mark.parametrize("status", [400, 500, 307])
def test_the_token_endpoint_refuses_or_leads_elsewhere(visit, provider, status, client):
    provider.status = status

    refused_and_recorded(visit(), "provider", client)
    assert len(provider.tokens) == 1  # asked once: no redirect is followed


def test_the_provider_is_away(visit, settings, client):
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:9/token"

    refused_and_recorded(visit(), "unreachable", client)


def test_who_is_switched_off_is_put_out_and_stays_out(visit, client):
    visit()
    User.objects.update(is_active=False)
    assert client.get("/")["Location"].startswith("/login/")

    assert visit().status_code == 403
    assert client.get("/")["Location"].startswith("/login/")
    detail = {"by": "sso", "why": "switched_off"}
    assert entries()[-1] == ("login_refused", "mei", detail)


def test_switched_off_again_it_ends_the_sessions_that_it_began(visit, client, settings):
    visit()
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:-1]

    assert client.get("/")["Location"].startswith("/login/")


@pytest.mark.parametrize("local", ["mei", "MEI"])
def test_a_name_that_a_local_login_has(visit, client, local):
    make_user(username=local, superuser=True)

    actor = "mei" if local == "mei" else "(unknown name)"
    refused_and_recorded(visit(), "name_taken", client, actor)
    assert User.objects.get().has_usable_password()


def test_a_password_login_never_asks_the_provider(provider, client):
    make_user(roles.AUDITOR)
    begun = client.get("/sso/")
    query = urlsplit(provider.consent(begun["Location"])).query

    right = {"username": "lin.mei", "password": PASSWORD}
    assert client.post(f"/login/?{query}", right | {"password": "x"}).status_code == 200
    assert client.post("/login/", right).status_code == 302

    assert client.session["_auth_user_backend"].endswith(".RoleBackend")
    assert "sso" not in client.session
    assert provider.tokens == []


def test_no_token_and_no_secret_is_left_anywhere(visit, provider, client, caplog):
    with caplog.at_level(logging.DEBUG):
        visit()
        client.logout()
        provider.claims["aud"] = "another"
        refused = visit().content.decode()

    assert len(provider.tokens) == 2
    left = [caplog.text, refused, str(entries())]
    left += [
        str(SessionStore().decode(row.session_data))
        for row in LoginSession.objects.all()
    ]
    for secret in (*provider.tokens, "an-access-token", SECRET):
        assert not any(secret in text for text in left)


def test_two_first_logins_at_once(visit, monkeypatch):
    make = outside_logins._make

    def as_if_another_was_faster(*_args):
        monkeypatch.setattr(outside_logins, "_make", make)
        raise IntegrityError

    monkeypatch.setattr(outside_logins, "_make", as_if_another_was_faster)

    assert visit().status_code == 302
