"""Middleware for sessions: the second factor, and what counts as activity."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from notifications.access import login_state
from notifications.access.queries import end_reason


class SecondFactorMiddleware:
    """Whatever asks for a person gets none, so no page opens that anybody forgot.

    The login page leads whoever stands there to the second step.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Late, as Django does it: pages that ask for nobody read no session.
        request.user = SimpleLazyObject(lambda: authenticated_user(request))  # type: ignore[assignment]  # stands for one
        return self.get_response(request)


def authenticated_user(request: HttpRequest) -> User | AnonymousUser:
    person = get_user(request)
    if not isinstance(person, User):
        return AnonymousUser()
    step = login_state.current_state(request.session, person)
    return person if step in login_state.INSIDE else AnonymousUser()


# Views that an open page requests by itself: they are neither activity of a person nor
# worth a line of the request log.
POLLS = {"notification_status", "sync_status", "write_count"}

WRITTEN_EVERY = timedelta(minutes=1)


class ActivityMiddleware:
    """Every request to a page of the console but the polls keeps its session open.

    Addresses outside the console ask for no session here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        match = request.resolver_match
        if match is None or match.namespace != "admin":
            return
        store: Any = request.session
        is_inside = request.user.is_authenticated
        sent = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if sent and not store.session_key and (reason := end_reason(sent)):
            messages.warning(request, reason)
        now = timezone.now()
        if (
            is_inside
            and match.url_name not in POLLS
            and now - store.row.seen_at >= WRITTEN_EVERY
        ):
            store.see(now)
