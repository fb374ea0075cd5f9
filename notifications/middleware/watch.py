"""``/healthz``, ``/readyz`` and ``/metrics``: asked by machines, often by IP address.

They are answered before a session, a language or the name of the host is looked at,
and over plain HTTP as well.
"""

import json
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from notifications.watch.metrics import Metrics
from notifications.watch.readiness import Readiness, is_ready


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
