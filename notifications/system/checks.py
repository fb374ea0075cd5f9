"""System checks of the settings: Tencent IM, keys, time zone, monitoring.

Missing ones are warnings, because the console can be set up and read without them; the
worker refuses to start on any of them.
"""

import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from notifications import conf
from notifications.conf import is_secure_url
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.ids import is_user_id


@register("im")
def check_connection(**_kwargs: Any) -> list[CheckMessage]:
    """The settings ``IM_*``: missing ones are W1xx, impossible ones E1xx."""
    return [
        *_missing(),
        *_impossible_account(),
        *_impossible_address(),
        *_impossible_way(),
        *_numbers(),
    ]


def _missing() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.IM_SDK_APP_ID:
        found.append(
            Warning(
                "IM_SDK_APP_ID is empty: nothing can be sent.",
                hint="Copy the SDKAppID from the application's page in Tencent's "
                "console.",
                id="notifier.W101",
            )
        )
    if not settings.IM_SECRET_KEY:
        found.append(
            Warning(
                "IM_SECRET_KEY is empty: nothing can be sent.",
                hint="Copy the key from the application's page in Tencent's console, "
                "or give the path of a file that holds it as IM_SECRET_KEY_FILE.",
                id="notifier.W102",
            )
        )
    return found


def _impossible_account() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    app_id = settings.IM_SDK_APP_ID
    if app_id and not (app_id.isascii() and app_id.isdigit() and int(app_id) > 0):
        found.append(
            Error(
                f"IM_SDK_APP_ID is “{app_id}”, which is not a whole number.",
                hint="An SDKAppID has ten digits, for example 1400000000.",
                id="notifier.E101",
            )
        )
    if not is_user_id(settings.IM_ADMIN_ACCOUNT):
        found.append(
            Error(
                f"IM_ADMIN_ACCOUNT is “{settings.IM_ADMIN_ACCOUNT}”, which is no "
                "account name.",
                hint="Use the App administrator's account: 1 to 32 letters, digits, "
                "_ or -.",
                id="notifier.E102",
            )
        )
    return found


def _impossible_address() -> list[CheckMessage]:
    if settings.IM_BASE_URL:
        parts = urlsplit(settings.IM_BASE_URL)
        is_bare = parts.path in ("", "/") and not parts.query and not parts.username
        if not (is_bare and is_secure_url(settings.IM_BASE_URL)):
            return [
                Error(
                    f"IM_BASE_URL is “{settings.IM_BASE_URL}”, which cannot be used.",
                    hint="Use https://HOST, or http://127.0.0.1:PORT for a sandbox on "
                    "this machine; no path behind it.",
                    id="notifier.E103",
                )
            ]
    elif settings.IM_REGION not in conf.HOSTS:
        return [
            Error(
                f"IM_REGION is “{settings.IM_REGION}”.",
                hint=f"Use one of {', '.join(conf.HOSTS)}: where the application's "
                "data lives.",
                id="notifier.E104",
            )
        ]
    return []


def _impossible_way() -> list[CheckMessage]:
    """The proxy and the file of certificates. A proxy's password is not repeated."""
    found: list[CheckMessage] = []
    if settings.IM_PROXY_URL and not _is_proxy(settings.IM_PROXY_URL):
        found.append(
            Error(
                "IM_PROXY_URL is no address of a proxy.",
                hint="Use http://HOST:PORT, with USER:PASSWORD@ before HOST where it "
                "is needed; no path behind it.",
                id="notifier.E105",
            )
        )
    if settings.IM_CA_FILE and not Path(settings.IM_CA_FILE).is_file():
        found.append(
            Error(
                f"IM_CA_FILE is “{settings.IM_CA_FILE}”, which is no file.",
                hint="Give the path of a PEM file with the certificates to trust.",
                id="notifier.E106",
            )
        )
    return found


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False
    is_bare = parts.path in ("", "/") and not parts.query
    return parts.scheme in ("http", "https") and has_place and is_bare


# name, lowest, highest, unit
NUMBERS = [
    ("IM_CALLS_PER_SECOND", 1, 10_000, "calls per second"),
    (
        "IM_RECIPIENTS_PER_CALL",
        1,
        SendGroupSystemNotification.MAX_RECIPIENTS,
        "member IDs",
    ),
    ("IM_CONTENT_MAX_BYTES", 1, SendGroupSystemNotification.MAX_CONTENT_BYTES, "bytes"),
    # Tencent's back end gives up after 3 s: a caller must wait longer than that.
    ("IM_READ_TIMEOUT", 3.5, 14, "seconds"),
    ("IM_CONNECT_TIMEOUT", 0.5, 14, "seconds"),
    ("IM_DAILY_QUOTA", 0, 10_000_000, "calls a day; 0 is no limit"),
    ("IM_SYNC_EVERY_HOURS", 0, 8760, "hours between two syncs; 0 is never"),
]


def _numbers() -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {getattr(settings, name)}.",
            hint=f"Use {lowest} to {highest} {unit}.",
            id=f"notifier.E{number}",
        )
        for number, (name, lowest, highest, unit) in enumerate(NUMBERS, start=110)
        if not lowest <= getattr(settings, name) <= highest
    ]


METRICS_TOKEN_LENGTH = 32


@register(Tags.security, "im")
def check_variables(**_kwargs: Any) -> list[CheckMessage]:
    """Variables that could not be read; their defaults are in use meanwhile."""
    return [
        Error(problem.sentence, hint=problem.hint, id=f"notifier.{problem.id}")
        for problem in settings.SETTINGS_PROBLEMS
    ]


@register(Tags.security)
def check_web_settings(settings: Any = settings, **_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not _has_secret_key(settings):
        found.append(
            Error(
                "SECRET_KEY is empty.",
                hint="Set it to 50 or more random characters, and keep it: "
                'python -c "import secrets; print(secrets.token_urlsafe(50))"',
                id="notifier.E001",
            )
        )
    if settings.TIME_ZONE not in zoneinfo.available_timezones():
        found.append(
            Error(
                f"TIME_ZONE is “{settings.TIME_ZONE}”, which is no known time zone.",
                hint="Use a name such as UTC, Asia/Shanghai or Europe/Berlin.",
                id="notifier.E002",
            )
        )
    if settings.LANGUAGE_CODE not in dict(settings.LANGUAGES):
        found.append(
            Error(
                f"LANGUAGE_CODE is “{settings.LANGUAGE_CODE}”.",
                hint="Use en or zh-hans.",
                id="notifier.E003",
            )
        )
    if settings.TRUSTED_PROXIES < 0:
        found.append(
            Error(
                f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}.",
                hint="Use the number of proxies that every request passes, 0 for none.",
                id="notifier.E004",
            )
        )
    return found


def _has_secret_key(settings: Any) -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # what Django says instead of giving an empty one
        return False


@register(Tags.security)
def check_watching(**_kwargs: Any) -> list[CheckMessage]:
    """The settings for a monitoring."""
    found: list[CheckMessage] = []
    if 0 < len(settings.METRICS_TOKEN) < METRICS_TOKEN_LENGTH:
        found.append(
            Error(
                "METRICS_TOKEN is too short: it can be guessed.",
                hint=f"Use {METRICS_TOKEN_LENGTH} or more random characters, as for "
                "SECRET_KEY, or leave it empty.",
                id="notifier.E060",
            )
        )
    if settings.DISK_FLOOR_MB < 0:
        found.append(
            Error(
                f"DISK_FLOOR_MB is {settings.DISK_FLOOR_MB}.",
                hint="Use the megabytes that must be free, 0 for any.",
                id="notifier.E061",
            )
        )
    return found
