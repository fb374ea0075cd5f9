"""Middleware for sessions: the rules of the login, and activity."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from notifications.access.queries import end_reason
from notifications.models import stored_key
from notifications.models.access import FORMER_SESSION

RULE = "login_rule"


def login_rule() -> list[str]:
    """The settings under which a session is opened; it ends when one of them changes."""
    return [settings.SECOND_FACTOR, settings.PASSKEY_LOGIN]


class LoginRuleMiddleware(MiddlewareMixin):
    """Treat sessions that were opened under other rules as anonymous.

    They may lack a second factor that is required now.
    """

    def process_request(self, request: HttpRequest) -> None:
        # Lazy, as in Django: a view that does not use the user reads no session.
        request.user = SimpleLazyObject(lambda: authenticated_user(request))  # type: ignore[assignment]  # a proxy of a user


def authenticated_user(request: HttpRequest) -> User | AnonymousUser:
    person = get_user(request)
    if isinstance(person, User) and request.session.get(RULE) == login_rule():
        return person
    return AnonymousUser()


# Views that an open page polls: they count as no activity of a person, and the request
# log omits them.
POLLS = {
    "connection_status",
    "notification_status",
    "sync_status",
    "write_count",
}

ACTIVITY_INTERVAL = timedelta(minutes=1)


class ActivityMiddleware(MiddlewareMixin):
    """Extend the session with every request to a page except the polls."""

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        match = request.resolver_match
        if match is None:
            return
        store: Any = request.session
        is_authenticated = request.user.is_authenticated  # may end the session
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if cookie and not store.session_key and (reason := end_reason(cookie)):
            messages.warning(request, reason)
            store[FORMER_SESSION] = stored_key(cookie)
        now = timezone.now()
        if (
            is_authenticated
            and match.url_name not in POLLS
            and store.row is not None
            and now - store.row.seen_at >= ACTIVITY_INTERVAL
        ):
            store.record_activity(now)
