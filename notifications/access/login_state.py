"""The rule about second factors under which a session was opened.

When the setting ``SECOND_FACTOR`` becomes stricter, sessions that were opened without a
factor are anonymous from the next request on.
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User

from notifications.access.queries import is_required_for

KEY = "second_factor_rule"

# People logged in by this backend need no code: the provider checks its own factors.
SSO_BACKEND = "notifications.access.backends.SsoBackend"


def begin_login(request: Any) -> None:
    request.session[KEY] = _rule()


def is_sufficient(request: Any, person: User) -> bool:
    """Whether the session was opened with what the settings require now."""
    session = request.session
    if session.get(KEY) == _rule() or session[BACKEND_SESSION_KEY] == SSO_BACKEND:
        return True
    records = get_authentication_records(request, person)
    if settings.PASSKEY_LOGIN == "only":
        kinds = {record.get("type") for record in records}
        is_enough = "webauthn" in kinds
    else:
        is_enough = any(record["method"] == "mfa" for record in records)
        is_enough = is_enough or not is_required_for(person)
    if is_enough:
        session[KEY] = _rule()
    return is_enough


def _rule() -> list[str]:
    return [settings.SECOND_FACTOR, settings.PASSKEY_LOGIN]
