"""System checks of the settings: Tencent IM, keys, time zone, monitoring.

Missing settings are warnings, because the console can be set up and read without them; the
worker refuses to start if any check of the tag ``im`` fails.
"""

import zoneinfo
from collections.abc import Iterator
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
    """The settings ``IM_*``: W1xx for missing values, E1xx for invalid ones."""
    return [
        *_missing(),
        *_account(),
        *_address(),
        *_connectivity(),
        *_numbers(),
    ]


def _missing() -> Iterator[CheckMessage]:
    if not settings.IM_SDK_APP_ID:
        yield Warning(
            "IM_SDK_APP_ID is empty: nothing can be sent.",
            hint="Copy the SDKAppID from the application's page in Tencent's console.",
            id="notifier.W101",
        )
    if not settings.IM_SECRET_KEY:
        yield Warning(
            "IM_SECRET_KEY is empty: nothing can be sent.",
            hint="Copy the key from the application's page in Tencent's console, "
            "or give the path of a file that holds it as IM_SECRET_KEY_FILE.",
            id="notifier.W102",
        )


def _account() -> Iterator[CheckMessage]:
    app_id = settings.IM_SDK_APP_ID
    if app_id and not (app_id.isascii() and app_id.isdigit() and int(app_id) > 0):
        yield Error(
            f"IM_SDK_APP_ID is “{app_id}”, which is not a whole number.",
            hint="An SDKAppID has ten digits, for example 1400000000.",
            id="notifier.E101",
        )
    if not is_user_id(settings.IM_ADMIN_ACCOUNT):
        yield Error(
            f"IM_ADMIN_ACCOUNT is “{settings.IM_ADMIN_ACCOUNT}”, which is no "
            "account name.",
            hint="Use the App administrator's account: 1 to 32 letters, digits, "
            "_ or -.",
            id="notifier.E102",
        )


def _address() -> Iterator[CheckMessage]:
    if settings.IM_BASE_URL:
        url = urlsplit(settings.IM_BASE_URL)
        is_bare = url.path in ("", "/") and not url.query and not url.username
        if not (is_bare and is_secure_url(settings.IM_BASE_URL)):
            yield Error(
                f"IM_BASE_URL is “{settings.IM_BASE_URL}”, which cannot be used.",
                hint="Use https://HOST, or http://127.0.0.1:PORT for a sandbox on this "
                "machine, without a path.",
                id="notifier.E103",
            )
    elif settings.IM_REGION not in conf.HOSTS:
        yield Error(
            f"IM_REGION is “{settings.IM_REGION}”.",
            hint=f"Use one of {', '.join(conf.HOSTS)}: the region of the application's "
            "data.",
            id="notifier.E104",
        )


def _connectivity() -> Iterator[CheckMessage]:
    """Check the proxy and the file of certificates, without showing a password."""
    if settings.IM_PROXY_URL and not _is_proxy(settings.IM_PROXY_URL):
        yield Error(
            "IM_PROXY_URL is not the URL of a proxy.",
            hint="Use http://HOST:PORT without a path, with USER:PASSWORD@ before HOST "
            "if the proxy requires it.",
            id="notifier.E105",
        )
    if settings.IM_CA_FILE and not Path(settings.IM_CA_FILE).is_file():
        yield Error(
            f"IM_CA_FILE is “{settings.IM_CA_FILE}”, which is not a file.",
            hint="Set it to the path of a PEM file with the certificates to trust.",
            id="notifier.E106",
        )


def _is_proxy(value: str) -> bool:
    try:
        url = urlsplit(value)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:  # the port is not a number
        return False
    is_bare = url.path in ("", "/") and not url.query
    return url.scheme in ("http", "https") and has_host and is_bare


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
    # Tencent's back end times out after 3 s: a caller must wait longer.
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


METRICS_TOKEN_MIN_LENGTH = 32


@register(Tags.security, "im")
def check_variables(**_kwargs: Any) -> list[CheckMessage]:
    """Environment variables with invalid values, replaced by their defaults."""
    return [
        Error(problem.sentence, hint=problem.hint, id=f"notifier.{problem.id}")
        for problem in settings.SETTINGS_PROBLEMS
    ]


@register(Tags.security)
def check_web_settings(
    settings: Any = settings, **_kwargs: Any
) -> Iterator[CheckMessage]:
    if not _has_secret_key(settings):
        yield Error(
            "SECRET_KEY is empty.",
            hint="Set it to 50 or more random characters, and keep it: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="notifier.E001",
        )
    if settings.TIME_ZONE not in zoneinfo.available_timezones():
        yield Error(
            f"TIME_ZONE is “{settings.TIME_ZONE}”, which is not a known time zone.",
            hint="Use a name such as UTC, Asia/Shanghai or Europe/Berlin.",
            id="notifier.E002",
        )
    if settings.LANGUAGE_CODE not in dict(settings.LANGUAGES):
        yield Error(
            f"LANGUAGE_CODE is “{settings.LANGUAGE_CODE}”.",
            hint="Use en or zh-hans.",
            id="notifier.E003",
        )
    if settings.TRUSTED_PROXIES < 0:
        yield Error(
            f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}.",
            hint="Use the number of proxies that every request passes, 0 for none.",
            id="notifier.E004",
        )


def _has_secret_key(settings: Any) -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django raises it for an empty key
        return False


@register(Tags.security)
def check_monitoring(**_kwargs: Any) -> Iterator[CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < METRICS_TOKEN_MIN_LENGTH:
        yield Error(
            "METRICS_TOKEN is too short: it can be guessed.",
            hint=f"Use {METRICS_TOKEN_MIN_LENGTH} or more random characters, as for "
            "SECRET_KEY, or leave it empty.",
            id="notifier.E060",
        )
    if settings.DISK_FLOOR_MB < 0:
        yield Error(
            f"DISK_FLOOR_MB is {settings.DISK_FLOOR_MB}.",
            hint="Use the megabytes that must be free, 0 for no minimum.",
            id="notifier.E061",
        )
