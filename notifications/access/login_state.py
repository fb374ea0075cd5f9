"""State of a login between the password and the second factor.

The state is computed once, at the login, and stored in the session, so that later
requests need no query. It is computed again when the setting ``SECOND_FACTOR`` has
changed since.
"""

from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from notifications import audit_log
from notifications.access.audit_events import LOGGED_IN
from notifications.access.queries import device_of, is_required_for

KEY = "second_step"

# People logged in by this backend need no code: the provider checks its own factors.
SSO_BACKEND = "notifications.access.backends.SsoBackend"

CODE_TIMEOUT = 10 * 60  # seconds from the password to the code

MAX_WRONG_CODES = 5

AWAITED = "awaited"  # in the audit trail: the password was right, the code is pending


class LoginStep(StrEnum):
    FREE = "free"  # logged in, no code was required
    PASSED = "passed"  # logged in with a right code
    CODE = "code"  # must enter a code
    SET_UP = "set_up"  # must set up a second factor first
    ENDED = "ended"  # timed out: the session is deleted


INSIDE = (LoginStep.FREE, LoginStep.PASSED)


def begin_login(request: Any, user: User, **_signal: Any) -> None:
    """Receiver of ``user_logged_in``."""
    _store(request.session, _first_step(request.session, user))


def current_state(session: SessionBase, person: User) -> LoginStep:
    """``person`` is the user whose password was entered in ``session``."""
    state = session.get(KEY)
    if state is None:
        return _store(session, _first_step(session, person))
    step = LoginStep(state["step"])
    if step == LoginStep.PASSED:
        return step
    if state["demand"] != settings.SECOND_FACTOR:
        return _store(session, _first_step(session, person))
    if step not in INSIDE and not 0 <= _now() - state["since"] < CODE_TIMEOUT:
        session.flush()
        return LoginStep.ENDED
    return step


def count_wrong_code(session: SessionBase) -> bool:
    """Count a wrong code. Returns True after too many, when the session is deleted."""
    state = session[KEY]
    if state["wrong"] + 1 >= MAX_WRONG_CODES:
        session.flush()
        return True
    session[KEY] = state | {"wrong": state["wrong"] + 1}
    return False


def complete_login(session: SessionBase, person: User, answer: str) -> None:
    """Complete the login after a right code, under a new session key.

    The audit trail records the kind of code, ``answer``, except for a person who was
    logged in already.
    """
    was_inside = session[KEY]["step"] in INSIDE
    session.cycle_key()
    _store(session, LoginStep.PASSED)
    if not was_inside:
        audit_log.write(LOGGED_IN, person.get_username(), second_factor=answer)


def _first_step(session: SessionBase, person: User) -> LoginStep:
    if session[BACKEND_SESSION_KEY] == SSO_BACKEND:
        return LoginStep.FREE
    if device_of(person) is not None:
        return LoginStep.CODE
    return LoginStep.SET_UP if is_required_for(person) else LoginStep.FREE


def _store(session: SessionBase, step: LoginStep) -> LoginStep:
    session[KEY] = {
        "step": step.value,
        "demand": settings.SECOND_FACTOR,
        "since": _now(),
        "wrong": 0,
    }
    return step


def _now() -> float:
    return timezone.now().timestamp()
