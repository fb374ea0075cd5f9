"""System checks of the settings of the pages: keys, files, proxy, monitoring."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from notifications.db.durability import pooling_problem
from notifications.system.machine import are_static_files_collected
from notifier_site.values import is_one_line

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
    elif not is_one_line(settings.SECRET_KEY):
        yield Error(
            "SECRET_KEY begins or ends with a blank, or holds a line break or a byte "
            "order mark.",
            hint="Write it on one line; save a file as UTF-8 without a byte order mark.",
            id="notifier.E007",
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


@register(Tags.security, deploy=True)
def check_static_files(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not are_static_files_collected():
        yield Error(
            f"STATIC_ROOT is “{settings.STATIC_ROOT}”, where the style sheets of this "
            "version are missing: no page can be shown.",
            hint="Run manage.py collectstatic, and restart the web process.",
            id="notifier.E050",
        )


@register(Tags.security, deploy=True)
def check_proxy(settings: Any = settings, **_kwargs: Any) -> Iterator[CheckMessage]:
    if settings.USE_HTTPS and not settings.SECURE_PROXY_SSL_HEADER:
        yield Warning(
            "BEHIND_TLS_PROXY is off: behind a proxy that terminates TLS, every page "
            "redirects to itself.",
            hint="Set BEHIND_TLS_PROXY=on if a proxy sets X-Forwarded-Proto. Ignore this "
            "if the web process itself terminates TLS.",
            id="notifier.W025",
        )


@register(Tags.database)
def check_pool(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> Iterator[CheckMessage]:
    """Warn about a transaction pool. Not an error: the pages work; workers refuse."""
    if databases and (problem := pooling_problem()):
        yield Warning(
            problem,
            hint="Give the worker an address of PostgreSQL itself, or of a pool with "
            "pool_mode=session, in DATABASE_URL.",
            id="notifier.W023",
        )


@register(Tags.security)
def check_monitoring(**_kwargs: Any) -> Iterator[CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < METRICS_TOKEN_MIN_LENGTH:
        yield Error(
            "METRICS_TOKEN is too short: it can be guessed.",
            hint=f"Use {METRICS_TOKEN_MIN_LENGTH} or more random characters, as for "
            "SECRET_KEY, or leave it empty.",
            id="notifier.E060",
        )
    elif not re.fullmatch(r"[!-~]*", settings.METRICS_TOKEN):
        yield Error(
            "METRICS_TOKEN holds signs that no request can send.",
            hint="Use letters, digits, - and _, without blanks.",
            id="notifier.E062",
        )
    if settings.DISK_FLOOR_MB < 0:
        yield Error(
            f"DISK_FLOOR_MB is {settings.DISK_FLOOR_MB}.",
            hint="Use the megabytes that must be free, 0 for no minimum.",
            id="notifier.E061",
        )
