"""Logins in the audit trail; Django's signals of logins call these functions."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

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


def record_refused_login(credentials: dict[str, Any], **_signal: Any) -> None:
    typed = credentials.get(User.USERNAME_FIELD)
    is_known = User.objects.filter(username=typed).exists()
    actor = str(typed) if is_known else UNKNOWN
    _write(AuditEntry.Action.LOGIN_REFUSED, actor)


def _write(action: AuditEntry.Action, actor: str) -> None:
    # Django sends its signals for sessions that scripts open, too: nobody logs in there.
    if trail.present_origin() is not None:
        trail.write(action, actor)
