"""Invalid ID tokens and keys, each with one defect, are refused."""

import base64
import json
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client

from notifications.access.services.sso_refusals import SsoRefusalReason
from tests.access.sso.conftest import configured
from tests.access.sso.provider import SECRET, Provider
from tests.access.sso.refusal import entries, is_inside, refused_and_recorded

# On both databases: PostgreSQL refuses texts that SQLite stores.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


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
    # Built by hand: the library refuses to create such a token.
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    unsealed = unsigned(provider, claims).rstrip(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"1"}').rstrip(b"=")
    text = header.decode() + "." + unsealed.split(".")[1]
    seal = base64.urlsafe_b64encode(signer.sign(text.encode(), pem)).rstrip(b"=")
    return f"{text}.{seal.decode()}"


def with_the_client_secret(provider: Provider, claims: dict) -> str:
    secret = SECRET.ljust(32, "x")
    return jwt.encode(claims, secret, "HS256", headers={"kid": "1"})


def with_a_key_of_its_own(provider: Provider, claims: dict) -> str:
    """The header brings the key along."""
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
    header = {"kid": "1", "jwk": public | {"kid": "1"}}
    return jwt.encode(claims, own, "RS256", headers=header)


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
        with_a_key_of_its_own,
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
    ("curve", "algorithm"),
    [
        (None, "RS384"),
        (None, "RS512"),
        (None, "PS256"),
        (ec.SECP384R1(), "ES384"),
        (ec.SECP256K1(), "ES256K"),
    ],
)
def test_another_algorithm_is_refused(visit, provider, client, curve, algorithm):
    """The key is that of the provider, and the signature is right."""
    if curve is not None:
        provider.key = ec.generate_private_key(curve)
    provider.keys = {"keys": [provider.public() | {"alg": algorithm}]}
    provider.sign = lambda claims: jwt.encode(
        claims, provider.key, algorithm, headers={"kid": "1"}
    )

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


def test_refused_logins_lock_nobody_out_at_that_address(visit, provider, client):
    provider.claims["iss"] = "https://another.example"
    for _n in range(6):
        assert visit().status_code == 403
    del provider.claims["iss"]  # restore the valid issuer

    visit()

    assert is_inside(client)


@pytest.mark.parametrize("key_id", ["1", "2"])
def test_a_key_on_an_elliptic_curve(visit, provider, client, key_id):
    provider.key = ec.generate_private_key(ec.SECP256R1())
    provider.keys = {"keys": [provider.public() | {"kid": key_id}]}

    response = visit()

    if key_id == "1":
        assert (response.status_code, is_inside(client)) == (302, True)
    else:
        refused_and_recorded(response, "untrusted", client)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"issuer": "https://another.example"}, "untrusted"),
        ({"token_endpoint": "http://id.example.com/token"}, "untrusted"),
        ({"jwks_uri": None}, "untrusted"),
        ({"authorization_endpoint": "ftp://id.example.com"}, "untrusted"),
    ],
    ids=str,
)
def test_a_document_that_is_not_the_providers(provider, client, document, why):
    provider.document |= document

    response = client.get("/sso/corp/")

    assert response.status_code == 403
    assert str(SsoRefusalReason(why).label) in unescape(response.content.decode())
    assert entries() == []  # the page is open to any visitor


def test_a_document_that_changes_during_the_login(provider, client):
    address = provider.consent(client.get("/sso/corp/")["Location"])
    provider.document["issuer"] = "https://another.example"

    refused_and_recorded(client.get(address), "untrusted", client)


@pytest.fixture
def partner(provider, provider_key, settings):
    with Provider(provider_key, "partner") as running:
        settings.SOCIALACCOUNT_PROVIDERS = configured(provider, running)
        yield running


def test_two_providers(visit, provider, partner, client):
    partner.claims["preferred_username"] = "wei"

    assert visit().status_code == 302
    assert visit(at=partner).status_code == 302

    people = SocialAccount.objects.order_by("pk").values_list(
        "user__username", "provider"
    )
    assert list(people) == [("mei", "corp"), ("wei", "partner")]
    page = Client().get("/login/").content.decode()
    assert 'href="/sso/corp/?next=' in page
    assert 'href="/sso/partner/?next=' in page


def test_a_callback_of_the_other_provider(provider, partner, client):
    """A mix-up of providers: state and code of one are sent to the other's callback."""
    address = provider.consent(client.get("/sso/corp/")["Location"])

    response = client.get(address.replace("/corp/", "/partner/"))

    assert response.status_code == 403
    assert str(SsoRefusalReason.LOST.label) in unescape(response.content.decode())
    assert partner.tokens == provider.tokens == []


def test_a_token_of_the_other_provider(visit, provider, partner, client):
    """Both sign with the same key here: only the issuer tells them apart."""
    provider.claims["iss"] = partner.url

    refused_and_recorded(visit(), "untrusted", client)


def test_a_link_changes_neither_scope_nor_purpose(provider, client):
    begun = client.get(
        "/sso/corp/",
        {"scope": "admin", "auth_params": "prompt=none", "process": "connect"},
    )

    asked = parse_qs(urlsplit(begun["Location"]).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert "prompt" not in asked
    assert client.get(provider.consent(begun["Location"])).status_code == 302
    assert is_inside(client)
