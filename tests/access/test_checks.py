"""The messages of ``manage.py check`` about sessions, second factor, single sign-on."""

import pytest

from notifications.access.checks import (
    check_identity_providers,
    check_roles_of_single_sign_on,
    check_second_factor,
    check_second_factor_is_required,
    check_single_sign_on,
)
from tests.access.sso.provider import Provider

pytestmark = pytest.mark.one_database

ISSUER = "https://id.example.com/realms/staff"


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"issuer": ""}, ["notifier.E130"]),
        ({"issuer": "http://id.example.com/"}, ["notifier.E130"]),
        ({"issuer": "id.example.com"}, ["notifier.E130"]),
        ({"issuer": "https://[::1"}, ["notifier.E130"]),
        ({"issuer": "https://id.example.com "}, ["notifier.E130"]),
        ({"client_id": ""}, ["notifier.E134"]),
        ({"secret": ""}, ["notifier.E134"]),
        ({"secret": "hush "}, ["notifier.E135"]),
        ({"secret": "\ufeffhush"}, ["notifier.E135"]),
        ({"roles_claim": "groups\n"}, ["notifier.E135"]),
        ({"scope": ["profile,openid"]}, ["notifier.E136"]),
    ],
)
def test_single_sign_on(settings, changes, ids):
    app = Provider.app_of(ISSUER) | {"secret": "hush"}
    for name, value in changes.items():
        (app if name in app else app["settings"])[name] = value
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    messages = check_single_sign_on()

    assert [message.id for message in messages] == ids
    assert all(message.msg.startswith("OIDC_CORP_") for message in messages)
    assert not any("hush" in message.msg for message in messages)


@pytest.mark.parametrize(
    ("others", "sentences"),
    [
        ([("partner", "https://other.example")], []),
        ([("corp", "https://other.example")], ["OIDC_PROVIDERS has “corp” twice."]),
        ([("partner", ISSUER)], [f"OIDC_PROVIDERS has “{ISSUER}” twice."]),
    ],
)
def test_each_identity_provider_has_its_own_name_and_issuer(
    settings, others, sentences
):
    apps = [Provider.app_of(ISSUER)]
    apps += [Provider.app_of(issuer, name) for name, issuer in others]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}

    assert [message.msg for message in check_identity_providers()] == sentences


@pytest.mark.django_db
def test_roles_that_single_sign_on_names_exist(settings):
    app = Provider.app_of(ISSUER)
    app["settings"]["roles"] = [("a", "Auditor"), ("b", "Auditer")]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    assert check_roles_of_single_sign_on(databases=None) == []
    (message,) = check_roles_of_single_sign_on(databases=["default"])

    assert message.id == "notifier.W022"
    assert message.msg.startswith("OIDC_CORP_ROLES names the role “Auditer”")


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("senders", []),
        ("everybody", []),
        ("optional", ["notifier.W030"]),
        ("Senders", ["notifier.E030"]),
        ("", ["notifier.E030"]),
    ],
)
def test_second_factor(settings, word, ids):
    settings.SECOND_FACTOR = word

    messages = [*check_second_factor(), *check_second_factor_is_required()]

    assert [message.id for message in messages] == ids
