"""Where a session stands between the password and the second factor.

Decided once, at the login, and kept in the session: ordinary requests ask nothing. It is
decided anew when the setting ``SECOND_FACTOR`` has become another one since.
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

# By this one people come from single sign-on: the provider asked for its own factors.
OUTSIDE = "notifications.access.backends.OutsideBackend"

SECONDS = 10 * 60  # from the password to the code

MOST_WRONG = 5

AWAITED = "awaited"  # in the audit trail: the password was right, the code is to come


class LoginStep(StrEnum):
    FREE = "free"  # inside, without having been asked
    PASSED = "passed"  # inside, with a right code
    CODE = "code"  # waits for a code
    SET_UP = "set_up"  # must set up a second factor first
    ENDED = "ended"  # waited for too long: the session is gone


INSIDE = (LoginStep.FREE, LoginStep.PASSED)


def begin_login(request: Any, user: User, **_signal: Any) -> None:
    """Django's signal of a login calls it."""
    _keep(request.session, _first_step(request.session, user))


def current_state(session: SessionBase, person: User) -> LoginStep:
    """``person`` is the one whose password was given in ``session``."""
    kept = session.get(KEY)
    if kept is None:
        return _keep(session, _first_step(session, person))
    step = LoginStep(kept["step"])
    if step == LoginStep.PASSED:
        return step
    if kept["demand"] != settings.SECOND_FACTOR:
        return _keep(session, _first_step(session, person))
    if step not in INSIDE and not 0 <= _now() - kept["since"] < SECONDS:
        session.flush()
        return LoginStep.ENDED
    return step


def count_wrong_code(session: SessionBase) -> bool:
    """One more wrong code. True when it was one too many: the session is gone."""
    kept = session[KEY]
    if kept["wrong"] + 1 >= MOST_WRONG:
        session.flush()
        return True
    session[KEY] = kept | {"wrong": kept["wrong"] + 1}
    return False


def complete_login(session: SessionBase, person: User, answer: str) -> None:
    """A right code was given: inside, under a new session key.

    ``answer`` says in the audit trail what kind of code it was; whoever was inside
    before does not log in again there.
    """
    was_inside = session[KEY]["step"] in INSIDE
    session.cycle_key()
    _keep(session, LoginStep.PASSED)
    if not was_inside:
        audit_log.write(LOGGED_IN, person.get_username(), second_factor=answer)


def _first_step(session: SessionBase, person: User) -> LoginStep:
    if session[BACKEND_SESSION_KEY] == OUTSIDE:
        return LoginStep.FREE
    if device_of(person) is not None:
        return LoginStep.CODE
    return LoginStep.SET_UP if is_required_for(person) else LoginStep.FREE


def _keep(session: SessionBase, step: LoginStep) -> LoginStep:
    session[KEY] = {
        "step": step.value,
        "demand": settings.SECOND_FACTOR,
        "since": _now(),
        "wrong": 0,
    }
    return step


def _now() -> float:
    return timezone.now().timestamp()
