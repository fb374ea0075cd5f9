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

from notifications.models import AuditEntry
from notifications.record import trail

from . import sessions

# Somebody may type a password where the name belongs: only a known name is kept.
UNKNOWN = "(unknown name)"


def record_login(user: User, request: HttpRequest, **_signal: Any) -> None:
    sessions.begin(request, user)
    _write(AuditEntry.Action.LOGGED_IN, user.get_username())


def record_logout(user: User | None, **_signal: Any) -> None:
    """``user`` is nobody for a session that had ended already."""
    if user is not None:
        _write(AuditEntry.Action.LOGGED_OUT, user.get_username())


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
    typed = _typed(credentials)
    actor = typed if _is_known(typed) else UNKNOWN
    _write(AuditEntry.Action.LOGIN_REFUSED, actor)
    if is_locked_out:
        _write(AuditEntry.Action.LOCKED_OUT, actor)


def name_to_count(_request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Under which name axes counts a wrong login.

    Of an unknown name, which may be a password, only a keyed digest: guesses at names
    that nobody has are locked out like all others.
    """
    typed = _typed(credentials or {})
    if not typed or _is_known(typed):
        return typed
    return salted_hmac(
        "notifications.unknown_name", typed, algorithm="sha256"
    ).hexdigest()


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


def _is_known(name: str) -> bool:
    return User.objects.filter(username=name).exists()


def _write(action: AuditEntry.Action, actor: str) -> None:
    # Django sends its signals for sessions that scripts open, too: nobody logs in there.
    if trail.present_origin() is not None:
        trail.write(action, actor)
