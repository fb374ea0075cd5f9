"""Middleware around every request: origin, security headers, methods, request log, health endpoints.

Django's own middleware sets some of these heads as well, but not where it refuses a
request itself. Strict-Transport-Security is Django's alone.

They are answered before a session, a language or the name of the host is looked at,
and over plain HTTP as well.
"""

import json
import logging
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST
from whitenoise.middleware import WhiteNoiseFileResponse

from notifications import audit_log, logs
from notifications.access.middleware import POLLS
from notifications.audit_log import Origin
from notifications.system.health import Readiness, is_ready
from notifications.system.metrics import Metrics

ADDRESS_MAX_LENGTH = 45

IPV6, NETWORK_BITS = 6, 64


class OriginMiddleware:
    """Entries of one request share its person, its address and one number.

    The first of all, so that every line of the log has that number. Whoever asked gets
    it as well, to name it when something went wrong.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The person is asked late: the views log people in and out.
        begun = Origin(lambda: getattr(request, "user", None), address_of(request))
        with audit_log.origin(begun), logs.log_context(request_id=lambda: begun.number):
            response = self.get_response(request)
        response["X-Request-ID"] = str(begun.number)
        return response


def address_of(request: HttpRequest) -> str:
    """The IP address that the request came from; empty where there is none.

    Behind ``TRUSTED_PROXIES`` proxies, each of which appends the address that called
    it, the n-th from the right is the last that a trusted one wrote: what stands left
    of it anybody could have sent. A header that cannot be used is ignored.
    """
    headers: dict[str, str] = request.META
    hops = [hop.strip() for hop in headers.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    trusted = settings.TRUSTED_PROXIES
    if 0 < trusted <= len(hops) and (seen := _address(hops[-trusted])):
        return seen
    return _address(headers.get("REMOTE_ADDR", ""))


def lockout_address(request: HttpRequest) -> str:
    """Whose wrong logins are counted together: ``address_of``.

    Of IPv6 the first half: whoever has one address there has all of the same network.
    Requests without any address have one in common, or nobody there would ever be
    locked out.
    """
    address = address_of(request) or "::"
    if ip_address(address).version == IPV6:
        network = ip_network((address.partition("%")[0], NETWORK_BITS), strict=False)
        return str(network.network_address)
    return address


def _address(text: str) -> str:
    """In one way of writing it; empty for what is no address."""
    try:
        address = str(ip_address(text))
    except ValueError:
        return ""
    return address if len(address) <= ADDRESS_MAX_LENGTH else ""


# The browser runs and shows only what this server serves.
CONTENT = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

# What browsers grant a page without asking, and what it could ask for.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "screen-wake-lock",
        "usb",
        "xr-spatial-tracking",
    )
)

HEADS = {
    "Content-Security-Policy": CONTENT,
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PolicyMiddleware:
    """The outermost one. Only static files are kept by browsers and by proxies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADS.items():
            response[name] = value
        if not isinstance(response, WhiteNoiseFileResponse):
            response["Cache-Control"] = "no-store"
        return response


METHODS = ("GET", "HEAD", "POST")


class MethodsMiddleware:
    """Refuses all others: a view takes whatever is not POST for a GET.

    To HEAD only the heads are answered, with the length of what GET would get.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        response = self.get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.content = b""
        return response


logger = logging.getLogger("notifications.requests")


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


class WatchMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.readiness = Readiness()
        self.metrics = Metrics()
        self.answers = {
            "/healthz": _alive,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.answers.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response

    def _ready(self, _request: HttpRequest) -> HttpResponse:
        found = self.readiness.checks()
        status = 200 if is_ready(found) else 503
        return HttpResponse(
            json.dumps(found) + "\n", content_type="application/json", status=status
        )

    def _metrics(self, request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_TOKEN:
            return _plain("There is no such page.", 404)
        wanted = f"Bearer {settings.METRICS_TOKEN}"
        if not constant_time_compare(request.headers.get("Authorization", ""), wanted):
            refused = _plain("Give METRICS_TOKEN as a Bearer token.", 401)
            refused["WWW-Authenticate"] = "Bearer"
            return refused
        text = self.metrics.text(self.readiness.checks())
        return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _alive(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return _plain("ok", 200)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", content_type="text/plain", status=status)
