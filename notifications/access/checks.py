"""System checks of the settings of sessions, second factor and single sign-on."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

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
    if not settings.OIDC_RP_CLIENT_ID:
        return []
    addresses = {
        "OIDC_ISSUER": settings.OIDC_ISSUER,
        "OIDC_AUTHORIZATION_ENDPOINT": settings.OIDC_OP_AUTHORIZATION_ENDPOINT,
        "OIDC_TOKEN_ENDPOINT": settings.OIDC_OP_TOKEN_ENDPOINT,
        "OIDC_JWKS_ENDPOINT": settings.OIDC_OP_JWKS_ENDPOINT,
    }
    problems: list[CheckMessage] = [
        Error(
            f"{name} is “{visible(address)}”, which is not a usable address.",
            hint="Copy it from the provider's /.well-known/openid-configuration.",
            id=f"notifier.E{number}",
        )
        for number, (name, address) in enumerate(addresses.items(), start=130)
        if not is_secure_url(address)
    ]
    if not settings.OIDC_RP_CLIENT_SECRET:
        problems.append(
            Error(
                "OIDC_CLIENT_SECRET is empty.",
                hint="Copy it from the provider.",
                id="notifier.E134",
            )
        )
    texts = {
        "OIDC_CLIENT_ID": settings.OIDC_RP_CLIENT_ID,
        "OIDC_CLIENT_SECRET": settings.OIDC_RP_CLIENT_SECRET,
        "OIDC_ROLES_CLAIM": settings.OIDC_ROLES_CLAIM,
    }
    problems += [
        Error(
            f"{name} begins or ends with a blank, or holds a line break or a byte order "
            "mark.",
            hint="Write it on one line; save a file as UTF-8 without a byte order mark.",
            id="notifier.E135",
        )
        for name, text in texts.items()
        if not is_one_line(text)
    ]
    if "openid" not in settings.OIDC_RP_SCOPES.split():
        problems.append(
            Error(
                f"OIDC_SCOPES is “{visible(settings.OIDC_RP_SCOPES)}”, without openid.",
                hint="Separate the scopes by spaces; openid is one of them.",
                id="notifier.E136",
            )
        )
    return problems


@register(Tags.database)
def check_roles_of_single_sign_on(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Skipped before the first migrate, when there are no roles yet."""
    if not databases or not settings.OIDC_ROLES:
        return []
    if Group._meta.db_table not in connection.introspection.table_names():
        return []
    existing = set(Group.objects.values_list("name", flat=True))
    return [
        Warning(
            f"OIDC_ROLES names the role “{role}”, which does not exist.",
            hint="Name a role as the page Roles shows it in English.",
            id="notifier.W022",
        )
        for role in sorted({role for _, role in settings.OIDC_ROLES} - existing)
    ]
