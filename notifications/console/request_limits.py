"""Limits of requests: size of the body, number in a time, downloads at once.

The tables have every limit. The sizes in deploy/nginx/notifier.conf are the same.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.console.origin import lockout_address
from notifications.console.request_counts import count_request
from notifications.console.views import too_large, too_many

logger = logging.getLogger(__name__)

KB, MB = 1024, 1024 * 1024

# Bytes of a body. The longest text in an ordinary form is that of a notification.
FORM_BYTES = 64 * KB
# A body with a list or a file also has the other fields of its form.
LIST_BYTES = 5 * MB + FORM_BYTES  # 100,000 IDs of 49 bytes
FILE_BYTES = 10 * MB + FORM_BYTES

# By name of the URL; only for people who are logged in, and only as multipart/form-data:
# decoding a percent-encoded body takes 80 times its size in memory.
BODY_BYTES = {
    "admin:write": LIST_BYTES,
    "admin:write_edit": LIST_BYTES,
    "admin:write_groups": LIST_BYTES,
    "admin:write_count": LIST_BYTES,
    "admin:group_import": FILE_BYTES,
}


class Rate(NamedTuple):
    """At most ``most`` requests of one person, or of one address, in ``seconds``."""

    most: int
    seconds: int


# What stops a notification is never refused, nor is a logout.
UNLIMITED = {
    "admin:all_sending",
    "admin:notification_pause",
    "admin:notification_stop",
    "admin:recall",
    "account_logout",
}

PAGES = Rate(1800, 60)
FORMS = Rate(120, 60)

DOWNLOADS = {
    "admin:actions_download": Rate(30, 300),
    "admin:deliveries_download": Rate(30, 300),
    "admin:evidence": Rate(60, 300),
    "admin:groups_download": Rate(30, 300),
}

# Forms with a count of their own.
FORM_RATES = DOWNLOADS | {
    # Sent by scripts while a person types.
    "admin:write_count": Rate(600, 60),
    "admin:write_groups": Rate(60, 60),
    "admin:group_import": Rate(30, 300),
    "admin:group_import_check": Rate(30, 300),
    "admin:sync_request": Rate(10, 300),
    # Calls of Tencent.
    "admin:connection": Rate(10, 60),
    "admin:notification_ask": Rate(10, 60),
    "admin:delivery_ask": Rate(30, 60),
    "admin:connection_notice": Rate(10, 300),
    "admin:connection_probe": Rate(5, 300),
}

# Pages with a count of their own: each begins a session or calls the provider.
PAGE_RATES = {
    "openid_connect_login": Rate(60, 60),
    "openid_connect_callback": Rate(60, 60),
}

# Downloads that a process sends at the same time. A client that reads slowly occupies a
# thread, of which deploy/gunicorn.conf.py gives each process at least twice as many.
DOWNLOADS_AT_ONCE = 2


class RequestLimitsMiddleware:
    """Before ``CsrfViewMiddleware``, which reads the body of each form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.downloads = RunningDownloads()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        end = getattr(request, "end_download", None)
        if end is None:
            return response
        if response.streaming:
            response.streaming_content = Download(response.streaming_content, end)  # type: ignore[attr-defined]  # a StreamingHttpResponse
        else:
            end()
        return response

    def process_view(
        self, request: HttpRequest, *_view: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        name = match.view_name if match else ""
        if refusal := _refuse_body(request, name):
            return refusal
        if name not in UNLIMITED and (refusal := _refuse_rate(request, name)):
            return refusal
        if name not in DOWNLOADS or not request.user.is_authenticated:
            return None
        end = self.downloads.begin(request.user.pk)
        if end is None:
            sentence = _(
                "Another download is in progress. Wait until it has ended, or cancel it "
                "in the browser."
            )
            return too_many(request, sentence, seconds=10)
        request.end_download = end  # type: ignore[attr-defined]  # read above
        return None


def _refuse_body(request: HttpRequest, name: str) -> HttpResponseBase | None:
    """Refuse a body by its length, before it is read; Django reads no further than that."""
    length = 0
    with suppress(ValueError):  # Django reads nothing then
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length <= FORM_BYTES:
        return None
    limit = FORM_BYTES
    if name in BODY_BYTES:
        if not request.user.is_authenticated:
            sentence = _(
                "You were logged out, and this is too long to be kept during the login. "
                "Go back, copy what you entered, and log in again."
            )
            return too_large(request, sentence)
        if request.content_type == "multipart/form-data":
            limit = BODY_BYTES[name]
    if length <= limit:
        return None
    size = f"{limit // MB} MB" if limit >= MB else f"{limit // KB} KB"
    sentence = _("This is more than %(size)s at once. Split it, and send the parts.")
    return too_large(request, sentence % {"size": size})


def _refuse_rate(request: HttpRequest, name: str) -> HttpResponseBase | None:
    is_form = request.method == "POST"
    own = (FORM_RATES | PAGE_RATES if is_form else PAGE_RATES).get(name)
    rate = own or (FORMS if is_form else PAGES)
    counted = name if own else "forms" if is_form else "pages"
    person = request.user.pk
    client = f"person {person}" if person else f"address {lockout_address(request)}"
    try:
        count, seconds = count_request(f"{counted} of {client}", rate.seconds)
    except OSError:
        # A full or broken disk does not close the console.
        logger.exception("The requests are not counted.")
        return None
    if count <= rate.most:
        return None
    sentence = ngettext(
        "That was too often in a short time. Nothing was changed. Try again in %(n)d "
        "second.",
        "That was too often in a short time. Nothing was changed. Try again in %(n)d "
        "seconds.",
        seconds,
    )
    return too_many(request, sentence % {"n": seconds}, seconds=seconds)


class RunningDownloads:
    """The downloads of this process: one of each person, ``DOWNLOADS_AT_ONCE`` in all."""

    def __init__(self) -> None:
        self._running: dict[int, object] = {}  # by person
        self._lock = threading.Lock()

    def begin(self, person: int) -> Callable[[], None] | None:
        """Return a function that ends the download, or ``None`` if it cannot begin."""
        with self._lock:
            if person in self._running or len(self._running) >= DOWNLOADS_AT_ONCE:
                return None
            download = self._running[person] = object()
        return partial(self._end, person, download)

    def _end(self, person: int, download: object) -> None:
        with self._lock:
            if self._running.get(person) is download:  # ended once
                del self._running[person]


class Download(Iterator[bytes]):
    """The bytes of a response; ``end`` is called when the server closes it."""

    def __init__(self, pieces: Iterator[bytes], end: Callable[[], None]) -> None:
        self._pieces = pieces
        self.close = end

    def __next__(self) -> bytes:
        return next(self._pieces)
