"""Logins: in the audit trail, and who is locked out after wrong ones.

Django's signals of logins call these functions. django-axes counts, for a name and an
address together, and refuses.
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

# Somebody may type a password where the name belongs: only a known name is kept.
UNKNOWN = "(unknown name)"

SINGLE_SIGN_ON = "sso"


def record_login(user: User, request: HttpRequest, **_signal: Any) -> None:
    """Who is asked for a second factor is only half inside, and the entry says so.

    Whoever has a login from outside has no password: they came by it.
    """
    sessions.begin_session(request, user)
    is_inside = login_state.current_state(request.session, user) in login_state.INSIDE
    detail = {} if is_inside else {"second_factor": login_state.AWAITED}
    if ExternalIdentity.objects.filter(user=user).exists():
        detail["by"] = SINGLE_SIGN_ON
    _write(LOGGED_IN, user.get_username(), **detail)


def record_logout(user: User | None, **_signal: Any) -> None:
    """``user`` is nobody for a session that had ended already."""
    if user is not None:
        _write(LOGGED_OUT, user.get_username())


def record_refused_login(
    credentials: Mapping[str, Any], request: Any = None, **_signal: Any
) -> None:
    """One entry of each wrong login, and one when it locks out; none meanwhile.

    axes counts before this is called, and marks the request.
    """
    is_locked_out = getattr(request, "axes_locked_out", False)
    was_counted = getattr(request, "axes_failures_since_start", None) is not None
    if is_locked_out and not was_counted:
        return
    actor = _known(_typed(credentials))
    _write(LOGIN_REFUSED, actor)
    if is_locked_out:
        _write(LOCKED_OUT, actor)


def username_for_lockout(
    _request: HttpRequest, credentials: Mapping[str, Any] | None
) -> str:
    """Under which name axes counts a wrong login.

    Of an unknown name, which may be a password, only a keyed digest: guesses at names
    that nobody has are locked out like all others.
    """
    typed = _typed(credentials or {})
    if not typed or _known(typed) == typed:
        return typed
    return salted_hmac(
        "notifications.unknown_name", typed, algorithm="sha256"
    ).hexdigest()


def is_exempt_from_lockout(
    _request: HttpRequest, credentials: Mapping[str, Any] | None = None
) -> bool:
    """Whether no name was typed: by single sign-on, where the provider counts.

    All at one address would be locked out together for what one of them does.
    """
    return not _typed(credentials or {})


def locked_until(name: str, address: str) -> datetime | None:
    """When this name (``name_to_count``) may log in again from there.

    ``None`` when it is not locked out. Each browser's wrong logins are one row, which
    counts until the last of them is old enough.
    """
    rows = AccessAttempt.objects.filter(username=name, ip_address=address)
    failures = 0
    for row in rows.order_by("-attempt_time"):
        failures += row.failures_since_start
        if failures >= settings.AXES_FAILURE_LIMIT:
            end: datetime = row.attempt_time + settings.AXES_COOLOFF_TIME
            return end
    return None


def _typed(credentials: Mapping[str, Any]) -> str:
    return str(credentials.get(User.USERNAME_FIELD) or "")


def record_refused_outside(refused: SsoRefused) -> None:
    _write(
        LOGIN_REFUSED,
        _known(refused.username),
        by=SINGLE_SIGN_ON,
        why=refused.why.value,
    )


def _known(name: str) -> str:
    return name if User.objects.filter(username=name).exists() else UNKNOWN


def _write(event: audit_log.Event, actor: str, **detail: Any) -> None:
    # Django sends its signals for sessions that scripts open, too: nobody logs in there.
    if audit_log.current_origin() is not None:
        audit_log.write(event, actor, **detail)
