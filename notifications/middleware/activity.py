"""Sessions in use: what counts as a click, and what is said when one has ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from notifications.selectors.sessions import why_it_ended

# What a page asks for by itself, as long as it is open: nobody need be there.
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
        if sent and not store.session_key and (reason := why_it_ended(sent)):
            messages.warning(request, reason)
        now = timezone.now()
        if (
            is_inside
            and match.url_name not in POLLS
            and now - store.row.seen_at >= WRITTEN_EVERY
        ):
            store.see(now)
