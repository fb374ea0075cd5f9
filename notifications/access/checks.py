"""System checks of the settings of sessions, second factor and single sign-on."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

from notifications.access import sso
from notifications.access.queries import OPTIONAL, SECOND_FACTOR_MODES
from notifications.conf import is_secure_url
from notifier_site.values import is_one_line, visible

MAX_SESSION_HOURS = 24


@register(Tags.security)
def check_sessions(settings: Any = settings, **_kwargs: Any) -> list[CheckMessage]:
    hours, minutes = settings.SESSION_HOURS, settings.SESSION_IDLE_MINUTES
    if not 1 <= hours <= MAX_SESSION_HOURS:
        return [
            Error(
                f"SESSION_HOURS is {hours}.",
                hint=f"Use 1 to {MAX_SESSION_HOURS} hours.",
                id="notifier.E005",
            )
        ]
    if not 1 <= minutes <= hours * 60:
        return [
            Error(
                f"SESSION_IDLE_MINUTES is {minutes}.",
                hint=f"Use 1 to {hours * 60} minutes, which is SESSION_HOURS.",
                id="notifier.E006",
            )
        ]
    return []


@register(Tags.security)
def check_second_factor(**_kwargs: Any) -> list[CheckMessage]:
    """An unknown value requires a second factor of every person."""
    if settings.SECOND_FACTOR in SECOND_FACTOR_MODES:
        return []
    return [
        Error(
            f"SECOND_FACTOR is “{visible(settings.SECOND_FACTOR)}”.",
            hint=f"Use one of {', '.join(SECOND_FACTOR_MODES)}.",
            id="notifier.E030",
        )
    ]


@register(Tags.security, deploy=True)
def check_second_factor_is_required(**_kwargs: Any) -> list[CheckMessage]:
    if settings.SECOND_FACTOR != OPTIONAL:
        return []
    return [
        Warning(
            "SECOND_FACTOR is “optional”: a leaked password is enough to send to every "
            "group.",
            hint="Set it to senders, or to everybody.",
            id="notifier.W030",
        )
    ]


@register(Tags.security)
def check_single_sign_on(**_kwargs: Any) -> list[CheckMessage]:
    return [
        problem for provider in sso.providers() for problem in _of_provider(provider)
    ]


def _of_provider(provider: dict[str, Any]) -> Iterator[CheckMessage]:
    prefix, options = _prefix(provider), provider["settings"]
    if not is_secure_url(options["issuer"]):
        yield Error(
            f"{prefix}_ISSUER is “{visible(options['issuer'])}”, which is not a usable "
            "address.",
            hint="Copy it from the provider's /.well-known/openid-configuration.",
            id="notifier.E130",
        )
    texts = {
        "CLIENT_ID": provider["client_id"],
        "CLIENT_SECRET": provider["secret"],
        "ROLES_CLAIM": options["roles_claim"],
    }
    for name, text in texts.items():
        if not text:
            yield Error(
                f"{prefix}_{name} is empty.",
                hint="Copy it from the provider.",
                id="notifier.E134",
            )
        if not is_one_line(text):
            yield Error(
                f"{prefix}_{name} begins or ends with a blank, or holds a line break or "
                "a byte order mark.",
                hint="Write it on one line; save a file as UTF-8 without a byte order "
                "mark.",
                id="notifier.E135",
            )
    if "openid" not in options["scope"]:
        yield Error(
            f"{prefix}_SCOPES is “{visible(' '.join(options['scope']))}”, without openid.",
            hint="Separate the scopes by spaces; openid is one of them.",
            id="notifier.E136",
        )


@register(Tags.security)
def check_identity_providers(**_kwargs: Any) -> list[CheckMessage]:
    """People are identified by the issuer, and the variables by the name."""
    problems: list[CheckMessage] = []
    for values in (
        [provider["provider_id"] for provider in sso.providers()],
        [provider["settings"]["issuer"] for provider in sso.providers()],
    ):
        problems += [
            Error(
                f"OIDC_PROVIDERS has “{visible(value)}” twice.",
                hint="Name each provider once, and give each its own issuer.",
                id="notifier.E131",
            )
            for value, count in Counter(values).items()
            if count > 1
        ]
    return problems


@register(Tags.database)
def check_roles_of_single_sign_on(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Skipped before the first migrate, when there are no roles yet."""
    if not databases or not sso.providers():
        return []
    if Group._meta.db_table not in connection.introspection.table_names():
        return []
    existing = set(Group.objects.values_list("name", flat=True))
    return [
        Warning(
            f"{_prefix(provider)}_ROLES names the role “{role}”, which does not exist.",
            hint="Name a role as the page Roles shows it in English.",
            id="notifier.W022",
        )
        for provider in sso.providers()
        for role in sorted({role for _, role in provider["settings"]["roles"]})
        if role not in existing
    ]


def _prefix(provider: dict[str, Any]) -> str:
    """The beginning of the variables of a provider."""
    return f"OIDC_{provider['provider_id'].upper()}"
