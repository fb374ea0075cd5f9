"""Recording logins in the audit trail. The login signals call these functions."""

from collections.abc import Mapping
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.http import HttpRequest

from notifications import audit_log
from notifications.access.audit_events import (
    LOCKED_OUT,
    LOGGED_IN,
    LOGGED_OUT,
    LOGIN_REFUSED,
)
from notifications.access.lockout import typed_name
from notifications.access.middleware import RULE, login_rule
from notifications.access.queries import SSO_BACKEND, has_factor, must_set_up
from notifications.access.services import sessions
from notifications.access.services.sso_refusals import SsoRefused

# People type passwords into the name field by mistake: only known names are recorded.
UNKNOWN = "(unknown name)"

SINGLE_SIGN_ON = "sso"


# In the audit trail: the password was right, and a second factor is awaited.
AWAITED = "awaited"

KINDS = {"totp": "app", "recovery_codes": "recovery", "webauthn": "passkey"}


def record_step(request: HttpRequest, user: User, method: str, **detail: Any) -> None:
    """Receiver of ``authentication_step_completed``; ``detail`` is that of the library."""
    if detail.get("reauthenticated"):
        request.session.cycle_key()  # OWASP ASVS 5.0, 7.2.4
        return
    if method != "password":
        return
    if has_factor(user) or must_set_up(user):
        _write(LOGGED_IN, user.get_username(), second_factor=AWAITED)


def record_login(user: User, request: HttpRequest, **_signal: Any) -> None:
    """Receiver of Django's ``user_logged_in``, when all steps are done."""
    sessions.begin_session(request, user)
    request.session[RULE] = login_rule()
    detail = {}
    kinds = [
        KINDS[record["type"]]
        for record in get_authentication_records(request, user)
        if record["method"] == "mfa"
    ]
    if kinds:
        detail["second_factor"] = kinds[-1]
    if request.session[BACKEND_SESSION_KEY] == SSO_BACKEND:
        detail["by"] = SINGLE_SIGN_ON
    _write(LOGGED_IN, user.get_username(), **detail)


def record_logout(user: User | None, **_signal: Any) -> None:
    """``user`` is ``None`` for a session that had ended already."""
    if user is not None:
        _write(LOGGED_OUT, user.get_username())


def record_refused_login(
    credentials: Mapping[str, Any], request: Any = None, **_signal: Any
) -> None:
    """Record a wrong login, and the lockout that it causes; nothing during a lockout.

    django-axes has counted the login before, and set attributes of the request.
    """
    is_locked_out = getattr(request, "axes_locked_out", False)
    was_counted = getattr(request, "axes_failures_since_start", None) is not None
    if is_locked_out and not was_counted:
        return
    actor = _known_name(typed_name(credentials))
    _write(LOGIN_REFUSED, actor)
    if is_locked_out:
        _write(LOCKED_OUT, actor)


def record_refused_passkey() -> None:
    """A passkey that was not accepted proves no name."""
    _write(LOGIN_REFUSED, UNKNOWN, by="passkey")


def record_refused_sso_login(refused: SsoRefused) -> None:
    _write(
        LOGIN_REFUSED,
        _known_name(refused.username),
        by=SINGLE_SIGN_ON,
        why=refused.why.value,
    )


def _known_name(name: str) -> str:
    return name if User.objects.filter(username=name).exists() else UNKNOWN


def _write(event: audit_log.Event, actor: str, **detail: Any) -> None:
    # Scripts that open a session send the signals as well, without a login.
    if audit_log.current_origin() is not None:
        audit_log.write(event, actor, **detail)
