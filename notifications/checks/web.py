"""Checks of the web application: keys, zone, language, monitoring."""

import zoneinfo
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

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
