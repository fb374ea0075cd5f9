"""Single sign-on from the button to the Overview, and refused logins."""

import logging
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import User
from django.test import Client

from notifications import permissions
from notifications.access.services.sso_refusals import SsoRefusalReason
from notifications.access.session_store import SessionStore
from notifications.models import LoginSession
from tests.access.sso.provider import SECRET, SUBJECT
from tests.access.sso.refusal import entries, is_inside, refused_and_recorded
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_without_the_settings_there_is_nothing(client):
    page = client.get("/login/").content.decode()

    assert "/sso/corp/" not in page
    for address in ("/sso/corp/", "/sso/corp/callback/"):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 405


def test_the_whole_way(client, provider):
    page = unescape(client.get("/login/?next=/history/%3Fa%3D1%26b").content.decode())
    assert "Log in with Keycloak" in page
    assert 'href="/sso/corp/?next=/history/%3Fa%3D1%26b"' in page

    begun = client.get("/sso/corp/?next=/history/%3Fa%3D1%26b")
    asked = parse_qs(urlsplit(begun["Location"]).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert asked["redirect_uri"] == ["http://testserver/sso/corp/callback/"]
    assert (len(asked["state"][0]), len(asked["nonce"][0])) == (16, 64)
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
    identity = SocialAccount.objects.get(user=person)
    assert (identity.provider, identity.uid) == ("corp", f"{provider.url} {SUBJECT}")
    session = client.session
    assert session["_auth_user_backend"] == "notifications.access.backends.SsoBackend"
    assert not session.get("socialaccount_states")
    overview = client.get("/").content.decode()
    assert "Your login has no role here yet." in overview
    assert "/password_change/" not in overview
    assert [(action, actor) for action, actor, _ in entries()] == [
        ("person_added", "single sign-on"),
        ("logged_in", "mei"),
    ]
    assert entries()[1][2] == {"by": "sso"}
    out = unescape(client.post("/logout/").content.decode())
    assert "If you logged in with Keycloak, you are still logged in there." in out


def test_a_row_in_the_database_adds_no_provider(client):
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id="corp",
        client_id="notifier",
        settings={"server_url": "https://id.example.com"},
    )

    assert client.get("/sso/corp/").status_code == 404


def test_a_target_elsewhere_leads_to_the_overview(visit):
    assert visit("https://evil.example/")["Location"] == "/"


def test_the_second_factor_is_the_providers_to_ask_for(visit, client, settings):
    settings.SECOND_FACTOR = "everybody"

    visit("/account/")

    assert client.get("/account/").status_code == 200
    assert entries()[-1] == ("logged_in", "mei", {"by": "sso"})


def test_a_second_login_is_the_same_person_whatever_their_name_is_now(visit, provider):
    visit()
    provider.claims |= {"preferred_username": "somebody", "email": "x@example.com"}
    visit()

    assert SocialAccount.objects.get().user == User.objects.get(username="mei")
    provider.claims["sub"] = "another"
    visit()
    assert User.objects.count() == 2


def test_beginning_one_stores_nothing(provider, client):
    client.get("/sso/")

    assert not LoginSession.objects.exists()


def test_a_callback_that_this_browser_did_not_begin(provider, client):
    begun = Client().get("/sso/corp/")
    stolen = provider.consent(begun["Location"])

    for address in (
        stolen,
        "/sso/corp/callback/",
        "/sso/corp/callback/?state=x&error=y",
    ):
        response = client.get(address)
        assert response.status_code == 403
        assert str(SsoRefusalReason.LOST.label) in unescape(response.content.decode())
    assert not is_inside(client)
    assert entries() == []  # otherwise any visitor could fill the audit trail


def test_a_callback_counts_once(provider, client):
    address = provider.consent(client.get("/sso/corp/")["Location"])

    assert client.get(address).status_code == 302
    assert client.get(address).status_code == 403


def test_a_code_that_was_used_already(provider, client):
    code = parse_qs(provider.consent(client.get("/sso/corp/")["Location"]))
    provider.codes.clear()
    state = code["state"][0]

    response = client.get("/sso/corp/callback/", {"code": "x", "state": state})

    refused_and_recorded(response, "provider", client)


def test_the_provider_says_no_and_who_is_inside_stays(provider, client):
    client.force_login(make_user())
    location = client.get("/sso/corp/")["Location"]
    state = parse_qs(urlsplit(location).query)["state"][0]

    answer = {"error": "access_denied", "state": state}
    response = client.get("/sso/corp/callback/", answer)

    assert str(SsoRefusalReason.PROVIDER.label) in unescape(response.content.decode())
    assert is_inside(client)
    assert (
        client.get("/sso/corp/callback/", {"code": "x", "state": state}).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("status", "why"), [(400, "provider"), (500, "provider"), (307, "unreachable")]
)
def test_the_token_endpoint_refuses_or_leads_elsewhere(
    visit, provider, status, why, client
):
    provider.status = status

    refused_and_recorded(visit(), why, client)
    assert len(provider.tokens) == 1  # one request: no redirect is followed


def test_the_provider_is_away(visit, provider, client):
    provider.document["token_endpoint"] = "http://127.0.0.1:9/token"

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
    make_user(permissions.AUDITOR)
    begun = client.get("/sso/corp/")
    query = urlsplit(provider.consent(begun["Location"])).query

    right = {"login": "lin.mei", "password": PASSWORD}
    assert client.post(f"/login/?{query}", right | {"password": "x"}).status_code == 200
    assert client.post("/login/", right).status_code == 302

    assert client.session["_auth_user_backend"].endswith(".RoleBackend")
    assert provider.tokens == []


def test_no_token_and_no_secret_is_left_anywhere(visit, provider, client, caplog):
    with caplog.at_level(logging.DEBUG):
        visit()
        row = LoginSession.objects.get()
        client.logout()
        provider.claims["aud"] = "another"
        refused = visit().content.decode()

    assert len(provider.tokens) == 2
    left = [caplog.text, refused, str(entries())]
    left.append(str(SessionStore().decode(row.session_data)))
    left.append(str(SocialAccount.objects.values()))
    assert not SocialToken.objects.exists()
    for secret in (*provider.tokens, "an-access-token", SECRET):
        assert not any(secret in text for text in left)
