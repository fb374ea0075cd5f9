"""Middleware for sessions: second factor and activity."""

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

from notifications.access import login_state
from notifications.access.queries import end_reason


class SecondFactorMiddleware(MiddlewareMixin):
    """Treat half-authenticated sessions as anonymous, on every page.

    The login page redirects them to the second factor.
    """

    def process_request(self, request: HttpRequest) -> None:
        # Lazy, as in Django: a view that does not use the user reads no session.
        request.user = SimpleLazyObject(lambda: authenticated_user(request))  # type: ignore[assignment]  # a proxy of a user


def authenticated_user(request: HttpRequest) -> User | AnonymousUser:
    person = get_user(request)
    if not isinstance(person, User):
        return AnonymousUser()
    step = login_state.current_state(request.session, person)
    return person if step in login_state.INSIDE else AnonymousUser()


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
    """Extend the session with every request to the console except the polls.

    URLs outside the console do not read the session here.
    """

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        match = request.resolver_match
        if match is None or match.namespace != "admin":
            return
        store: Any = request.session
        is_authenticated = request.user.is_authenticated  # may end the session
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if cookie and not store.session_key and (reason := end_reason(cookie)):
            messages.warning(request, reason)
            store.succeed(cookie)
        now = timezone.now()
        if (
            is_authenticated
            and match.url_name not in POLLS
            and now - store.row.seen_at >= ACTIVITY_INTERVAL
        ):
            store.record_activity(now)
