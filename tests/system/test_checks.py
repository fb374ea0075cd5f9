"""The ids of the messages of ``manage.py check`` for missing and invalid settings."""

import pytest
from django.core.checks import run_checks

from notifications.access.checks import (
    check_roles_of_single_sign_on,
    check_second_factor,
    check_second_factor_is_required,
    check_sessions,
    check_single_sign_on,
)
from notifications.system.checks import (
    check_connection,
    check_monitoring,
    check_variables,
    check_web_settings,
)
from notifier_site.variables import SettingProblem

pytestmark = pytest.mark.one_database

GOOD = {
    "IM_SDK_APP_ID": "1400000000",
    "IM_SECRET_KEY": "key",
    "IM_ADMIN_ACCOUNT": "administrator",
    "IM_BASE_URL": "",
    "IM_REGION": "china",
}


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"IM_SDK_APP_ID": ""}, ["notifier.W101"]),
        ({"IM_SECRET_KEY": ""}, ["notifier.W102"]),
        ({"IM_SDK_APP_ID": "14O0000000"}, ["notifier.E101"]),
        ({"IM_SDK_APP_ID": "²"}, ["notifier.E101"]),
        ({"IM_ADMIN_ACCOUNT": "two words"}, ["notifier.E102"]),
        ({"IM_BASE_URL": "https://im.example.com"}, []),
        ({"IM_BASE_URL": "http://127.0.0.1:8010/"}, []),
        ({"IM_BASE_URL": "http://[::1]:8010"}, []),
        ({"IM_BASE_URL": "http://localhost:8010"}, []),
        ({"IM_BASE_URL": "http://im.example.com"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "https://im.example.com/v4"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "https://me@im.example.com"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "im.example.com"}, ["notifier.E103"]),
        ({"IM_REGION": "mars"}, ["notifier.E104"]),
        ({"IM_REGION": "mars", "IM_BASE_URL": "https://im.example.com"}, []),
        ({"IM_PROXY_URL": "http://proxy.example:3128"}, []),
        ({"IM_PROXY_URL": "http://me:hush@127.0.0.1:3128/"}, []),
        ({"IM_PROXY_URL": "proxy.example:3128"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "http://me:hush@proxy:x"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "socks5://proxy.example"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "http://proxy.example/path"}, ["notifier.E105"]),
        ({"IM_CA_FILE": __file__}, []),
        ({"IM_CA_FILE": "/no/such/file"}, ["notifier.E106"]),
        ({"IM_CALLS_PER_SECOND": 0}, ["notifier.E110"]),
        ({"IM_RECIPIENTS_PER_CALL": 501}, ["notifier.E111"]),
        ({"IM_CONTENT_MAX_BYTES": 12_289}, ["notifier.E112"]),
        ({"IM_READ_TIMEOUT": 3}, ["notifier.E113"]),
        ({"IM_CONNECT_TIMEOUT": 0.1}, ["notifier.E114"]),
        ({"IM_SYNC_EVERY_HOURS": 0}, []),
        ({"IM_SYNC_EVERY_HOURS": 8760}, []),
        ({"IM_SYNC_EVERY_HOURS": -1}, ["notifier.E116"]),
        ({"IM_SYNC_EVERY_HOURS": 8761}, ["notifier.E116"]),
    ],
)
def test_connection(settings, changes, ids):
    for name, value in (GOOD | changes).items():
        setattr(settings, name, value)

    messages = check_connection()

    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)
    assert not any("hush" in message.msg for message in messages)


PROVIDER = {
    "OIDC_RP_CLIENT_ID": "notifier",
    "OIDC_RP_CLIENT_SECRET": "hush",
    "OIDC_ISSUER": "https://id.example.com/realms/staff",
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "https://id.example.com/auth?tenant=1",
    "OIDC_OP_TOKEN_ENDPOINT": "http://127.0.0.1:8080/token",
    "OIDC_OP_JWKS_ENDPOINT": "https://id.example.com/keys",
}


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"OIDC_ISSUER": ""}, ["notifier.E130"]),
        (
            {"OIDC_OP_AUTHORIZATION_ENDPOINT": "http://id.example.com/"},
            ["notifier.E131"],
        ),
        ({"OIDC_OP_TOKEN_ENDPOINT": "id.example.com"}, ["notifier.E132"]),
        ({"OIDC_OP_JWKS_ENDPOINT": "https://"}, ["notifier.E133"]),
        ({"OIDC_RP_CLIENT_SECRET": ""}, ["notifier.E134"]),
        ({"OIDC_RP_CLIENT_ID": "", "OIDC_ISSUER": ""}, []),
    ],
)
def test_single_sign_on(settings, changes, ids):
    for name, value in (PROVIDER | changes).items():
        setattr(settings, name, value)

    messages = check_single_sign_on()

    assert [message.id for message in messages] == ids
    assert not any("hush" in message.msg for message in messages)


@pytest.mark.django_db
def test_roles_that_single_sign_on_names_exist(settings):
    settings.OIDC_ROLES = [("a", "Auditor"), ("b", "Auditer")]

    assert check_roles_of_single_sign_on(databases=None) == []
    (message,) = check_roles_of_single_sign_on(databases=["default"])

    assert message.id == "notifier.W022"
    assert "“Auditer”" in message.msg


def test_variables_that_could_not_be_read(settings):
    problem = SettingProblem("DEBUG is “2”.", "Use on or off.", "E010")
    settings.SETTINGS_PROBLEMS = [problem]

    (message,) = check_variables()

    assert (message.id, message.msg, message.hint) == (
        "notifier.E010",
        problem.sentence,
        problem.hint,
    )
    assert message in run_checks(tags=["im"])  # the tag that the worker checks


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


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"SECRET_KEY": ""}, ["notifier.E001"]),
        ({"TIME_ZONE": "Mars/Olympus"}, ["notifier.E002"]),
        ({"LANGUAGE_CODE": "fr"}, ["notifier.E003"]),
        ({"TRUSTED_PROXIES": -1}, ["notifier.E004"]),
        ({"SESSION_HOURS": 24, "SESSION_IDLE_MINUTES": 1440}, []),
        ({"SESSION_HOURS": 0}, ["notifier.E005"]),
        ({"SESSION_HOURS": 25}, ["notifier.E005"]),
        ({"SESSION_IDLE_MINUTES": 0}, ["notifier.E006"]),
        ({"SESSION_IDLE_MINUTES": 481}, ["notifier.E006"]),
    ],
)
def test_web_settings(changes, ids):
    class Settings:
        SECRET_KEY = "x"
        TIME_ZONE = "Asia/Shanghai"
        LANGUAGE_CODE = "en"
        TRUSTED_PROXIES = 1
        SESSION_HOURS = 8
        SESSION_IDLE_MINUTES = 30
        LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))

    changed = type("Changed", (Settings,), changes)

    assert [
        message.id
        for check in (check_web_settings, check_sessions)
        for message in check(settings=changed)
    ] == ids


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"METRICS_TOKEN": "x" * 32, "DISK_FLOOR_MB": 0}, []),
        ({"METRICS_TOKEN": "x" * 31}, ["notifier.E060"]),
        ({"DISK_FLOOR_MB": -1}, ["notifier.E061"]),
    ],
)
def test_settings_of_a_monitoring(settings, changes, ids):
    for name, value in changes.items():
        setattr(settings, name, value)

    messages = list(check_monitoring())

    assert [message.id for message in messages] == ids
    assert not any("xxx" in f"{message.msg}{message.hint}" for message in messages)
