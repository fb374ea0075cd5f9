"""Middleware for all requests: security headers, methods, request log, health.

Django's own middleware sets some of these headers as well, but not in responses to
requests that it refuses. Strict-Transport-Security is set by Django only.
"""

import json
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from prometheus_client import CONTENT_TYPE_LATEST
from whitenoise.middleware import WhiteNoiseFileResponse

from notifications.access.middleware import POLLS
from notifications.system.health import Readiness, is_ready
from notifications.system.metrics import Metrics

# Browsers load content from this server only.
CONTENT_POLICY = "; ".join(
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

# Features that browsers grant to pages by default or on request.
PERMISSIONS_POLICY = ", ".join(
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

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeadersMiddleware(MiddlewareMixin):
    """The outermost middleware. Browsers and proxies may cache static files only."""

    def process_response(
        self, _request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        for name, value in SECURITY_HEADERS.items():
            response[name] = value
        if not isinstance(response, WhiteNoiseFileResponse):
            response["Cache-Control"] = "no-store"
        return response


REDIRECTED_COOKIE = "__Host-redirected"


class RedirectLoopMiddleware:
    """Explains a redirect to itself instead of sending it for ever.

    If a proxy terminates TLS and this process does not know, every request seems to come
    over plain HTTP and is redirected to HTTPS. Such a request has ``X-Forwarded-Proto:
    https``, or a cookie that browsers send over HTTPS only; each redirect sets one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        location = response.headers.get("Location", "")
        if request.is_secure() or not location.startswith("https://"):
            return response
        knows_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
        protocol = request.headers.get("X-Forwarded-Proto", "")
        if protocol.lower() == "https" and not knows_proxy:
            return self._explain(_("Set BEHIND_TLS_PROXY=on, and restart it."))
        if not any(name.startswith("__Host-") for name in request.COOKIES):
            response.set_cookie(
                REDIRECTED_COOKIE,
                "1",
                max_age=60,
                secure=True,
                httponly=True,
                samesite="Lax",
            )
            return response
        return self._explain(
            _(
                "Set BEHIND_TLS_PROXY=on, restart it, and have the proxy set "
                "“X-Forwarded-Proto: https”."
            )
        )

    def _explain(self, remedy: str) -> HttpResponse:
        sentence = _(
            "This page would redirect to itself for ever: a proxy in front of this "
            "console terminates TLS, and the console does not recognize it."
        )
        return _plain(f"{sentence} {remedy}", 503)


ALLOWED_METHODS = ("GET", "HEAD", "POST")


class AllowedMethodsMiddleware(MiddlewareMixin):
    """Refuse all other methods: the views treat every method but POST as GET.

    Responses to HEAD have the headers of GET, with its length, and no body.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.method in ALLOWED_METHODS:
            return None
        return HttpResponseNotAllowed(ALLOWED_METHODS)

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        if request.method == "HEAD" and not response.streaming:
            response.content = b""
        return response


logger = logging.getLogger("notifications.requests")


REFUSED_STATUSES = (400, 403, 429)


class RequestLogMiddleware:
    """Log each request, without its query, which may contain user input.

    ``ms`` is the time until the response begins; a download continues after it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.monotonic()
        response = self.get_response(request)
        fields: dict[str, object] = {
            "method": request.method,
            "path": _path_without_token(request),
            "status": response.status_code,
            "ms": round(1000 * (time.monotonic() - start)),
        }
        if response.status_code in REFUSED_STATUSES:
            # The id of the user, not the name; None for anonymous users.
            fields["person"] = getattr(getattr(request, "user", None), "pk", None)
        logger.log(
            log_level(request, response),
            "%(method)s %(path)s %(status)d %(ms)d ms",
            fields,
            extra=fields,
        )
        return response


def _path_without_token(request: HttpRequest) -> str:
    """The path; of a link for a password or an address, which is a secret, its pattern."""
    match = request.resolver_match
    return f"/{match.route}" if match and "token" in match.kwargs else request.path


def log_level(request: HttpRequest, response: HttpResponse) -> int:
    """Return DEBUG for successful routine requests: polls, health checks, files."""
    match = request.resolver_match
    is_routine = match is None or match.url_name in POLLS
    return logging.DEBUG if is_routine and response.status_code < 400 else logging.INFO


class HealthMiddleware:
    """Serve the health endpoints.

    Before the session, the language and the host name are checked, and over plain HTTP.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.readiness = Readiness()
        self.metrics = Metrics()
        self.endpoints = {
            "/healthz": _alive,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        endpoint = self.endpoints.get(request.path_info)
        if endpoint is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = endpoint(request)
        response["Cache-Control"] = "no-store"
        return response

    def _ready(self, _request: HttpRequest) -> HttpResponse:
        checks = self.readiness.checks()
        status = 200 if is_ready(checks) else 503
        return HttpResponse(
            json.dumps(checks) + "\n", content_type="application/json", status=status
        )

    def _metrics(self, request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_TOKEN:
            return _plain("There is no such page.", 404)
        expected = f"Bearer {settings.METRICS_TOKEN}"
        if not constant_time_compare(
            request.headers.get("Authorization", ""), expected
        ):
            refused = _plain("Give METRICS_TOKEN as a Bearer token.", 401)
            refused["WWW-Authenticate"] = "Bearer"
            return refused
        text = self.metrics.text(self.readiness.checks())
        return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _alive(_request: HttpRequest) -> HttpResponse:
    """Liveness: the process responds; no dependency is checked."""
    return _plain("ok", 200)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(
        text + "\n", content_type="text/plain; charset=utf-8", status=status
    )
