"""Invalid ID tokens and keys, each with one defect, are refused."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.access.sso.provider import SECRET, Provider
from tests.access.sso.refusal import is_inside, refused_and_recorded

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


def test_refused_logins_lock_nobody_out_at_that_address(visit, provider, client):
    provider.claims["iss"] = "https://another.example"
    for _n in range(6):
        assert visit().status_code == 403
    del provider.claims["iss"]  # restore the valid issuer

    visit()

    assert is_inside(client)
