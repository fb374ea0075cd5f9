"""Recording logins in the audit trail, and the lockout after wrong logins.

Django's login signals call these functions. django-axes counts wrong logins for each
pair of name and address, and refuses further ones.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from notifications import audit_log
from notifications.access import login_state
from notifications.access.audit_events import (
    LOCKED_OUT,
    LOGGED_IN,
    LOGGED_OUT,
    LOGIN_REFUSED,
)
from notifications.access.services import sessions
from notifications.access.services.sso_refusals import SsoRefused
from notifications.models import ExternalIdentity

# People type passwords into the name field by mistake: only known names are recorded.
UNKNOWN = "(unknown name)"

SINGLE_SIGN_ON = "sso"


def record_login(user: User, request: HttpRequest, **_signal: Any) -> None:
    """The entry marks a login that still requires a second factor.

    People with an external identity have no password: they used single sign-on.
    """
    sessions.begin_session(request, user)
    is_complete = login_state.current_state(request.session, user) in login_state.INSIDE
    detail = {} if is_complete else {"second_factor": login_state.AWAITED}
    if ExternalIdentity.objects.filter(user=user).exists():
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
    actor = _known_name(_typed_name(credentials))
    _write(LOGIN_REFUSED, actor)
    if is_locked_out:
        _write(LOCKED_OUT, actor)


def username_for_lockout(
    _request: HttpRequest, credentials: Mapping[str, Any] | None
) -> str:
    """Return the name under which django-axes counts a wrong login.

    For an unknown name, which may be a password, this is a keyed digest, so that guesses
    at unknown names are locked out as well.
    """
    typed = _typed_name(credentials or {})
    if not typed or _known_name(typed) == typed:
        return typed
    return salted_hmac(
        "notifications.unknown_name", typed, algorithm="sha256"
    ).hexdigest()


def is_exempt_from_lockout(
    _request: HttpRequest, credentials: Mapping[str, Any] | None = None
) -> bool:
    """Whether no name was typed, as in single sign-on, where the provider counts.

    Otherwise all people at one address would be locked out together.
    """
    return not _typed_name(credentials or {})


def locked_until(name: str, address: str) -> datetime | None:
    """Return when this name (``username_for_lockout``) may log in from the address again.

    ``None`` when it is not locked out. The wrong logins of one browser are one row, which
    counts until the cool-off time after the last of them.
    """
    rows = AccessAttempt.objects.filter(username=name, ip_address=address)
    failures = 0
    for row in rows.order_by("-attempt_time"):
        failures += row.failures_since_start
        if failures >= settings.AXES_FAILURE_LIMIT:
            end: datetime = row.attempt_time + settings.AXES_COOLOFF_TIME
            return end
    return None


def _typed_name(credentials: Mapping[str, Any]) -> str:
    return str(credentials.get(User.USERNAME_FIELD) or "")


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
