"""The lockout after wrong logins: django-axes, which counts before a password is verified.

django-axes itself counts after it, so that parallel guesses would all be verified.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

Credentials = Mapping[str, Any] | None


class CountFirstHandler(AxesDatabaseHandler):  # type: ignore[misc]  # untyped
    """One row for each pair of name and address, whatever the browser.

    The lock of the row orders parallel guesses, also inside of a longer transaction.
    """

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:
        request.axes_user_agent = ""
        if not super().is_allowed(request, credentials):
            return False
        super().user_login_failed(None, credentials, request)
        request.axes_locked_out = False
        failures = request.axes_failures_since_start
        if failures is None or failures <= settings.AXES_FAILURE_LIMIT:
            return True
        # Others of the parallel guesses are the ones that are verified and recorded.
        request.axes_failures_since_start = None
        return False

    def user_login_failed(
        self, sender: Any, credentials: Any, request: Any = None, **_signal: Any
    ) -> None:
        """The guess, which is counted already, was wrong."""
        failures = getattr(request, "axes_failures_since_start", None) or 0
        if request is not None and failures >= settings.AXES_FAILURE_LIMIT:
            request.axes_locked_out = True
            request.axes_credentials = credentials


def forget_wrong_logins(request: HttpRequest | None, username: str) -> None:
    """Call it after a right password. The name counts from zero at this address."""
    if request is not None and hasattr(request, "axes_updated"):
        handler = AxesProxyHandler.get_implementation()
        handler.reset_user_attempts(request, {"username": username})


def username_for_lockout(_request: HttpRequest, credentials: Credentials) -> str:
    """Return the name under which django-axes counts a wrong login.

    For an unknown name, which may be a password, this is a keyed digest, so that guesses
    at unknown names are locked out as well.
    """
    typed = typed_name(credentials)
    if not typed or User.objects.filter(username=typed).exists():
        return typed
    return salted_hmac(
        "notifications.unknown_name", typed, algorithm="sha256"
    ).hexdigest()


def is_exempt_from_lockout(
    _request: HttpRequest, credentials: Credentials = None
) -> bool:
    """Whether no name was typed, as in single sign-on, where the provider counts.

    Otherwise all people at one address would be locked out together.
    """
    return not typed_name(credentials)


def locked_until(name: str, address: str) -> datetime | None:
    """Return when this name (``username_for_lockout``) may log in from the address again.

    ``None`` when it is not locked out.
    """
    row = AccessAttempt.objects.filter(
        username=name,
        ip_address=address,
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
    ).first()
    if row is None:
        return None
    end: datetime = row.attempt_time + settings.AXES_COOLOFF_TIME
    return end


def typed_name(credentials: Credentials) -> str:
    return str((credentials or {}).get(User.USERNAME_FIELD) or "")
