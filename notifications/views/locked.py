"""The page for a login that is locked out (``AXES_LOCKOUT_CALLABLE``)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.services.logins import locked_until, name_to_count

from .page import page

TOO_MANY = 429


def locked(
    request: Any,
    _response: HttpResponse,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """In place of what the login page answered. Nobody learns whether a name exists."""
    name = name_to_count(request, credentials)
    until = locked_until(name, request.axes_ip_address)
    if until is not None:
        until += timedelta(seconds=1)  # the page shows no parts of one
    response = page(
        request, "notifications/locked.html", _("Locked for a while"), until=until
    )
    response.status_code = TOO_MANY
    if until is not None:
        seconds = (until - timezone.now()).total_seconds()
        response["Retry-After"] = str(max(1, round(seconds)))
    # It is called behind the place where Django renders.
    return response.render()
