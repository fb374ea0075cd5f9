"""One line in the log for each request that was answered; who asked, if refused."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("notifications.requests")

# Asked again and again by pages that are open.
POLLS = frozenset({"notification_status", "sync_status"})
REFUSED = (400, 403, 429)


class RequestLogMiddleware:
    """The path without its query, which may hold what people typed.

    ``ms`` is the time until the answer began; a download goes on after it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        told: dict[str, object] = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round(1000 * (time.monotonic() - began)),
        }
        if response.status_code in REFUSED:
            # The number of a login, no name; nobody's is None.
            told["person"] = getattr(getattr(request, "user", None), "pk", None)
        logger.log(
            level_of(request, response),
            "%(method)s %(path)s %(status)d %(ms)d ms",
            told,
            extra=told,
        )
        return response


def level_of(request: HttpRequest, response: HttpResponse) -> int:
    """DEBUG for what machines ask for all the time and get: polls, health, files."""
    match = request.resolver_match
    is_routine = match is None or match.url_name in POLLS
    return logging.DEBUG if is_routine and response.status_code < 400 else logging.INFO
