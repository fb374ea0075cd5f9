"""The readable files of an evidence bundle: ``index.html`` and ``VERIFY.txt``."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation

from notifications import __version__
from notifications.audit.queries import actions_of_notification
from notifications.delivery.channels import CHANNELS
from notifications.delivery.explanations import Explanation, explain
from notifications.history.amendments import (
    Fate,
    amendments_of,
    fates_of,
    text_before,
)
from notifications.history.notification_detail import notification_detail
from notifications.history.presentation import message_at_tencent
from notifications.models import Delivery, Notification, Seal

PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]

# Maximum number of listed deliveries without a problem; record.jsonl has all.
MAX_OTHERS = 1000

BLOCK_ROWS = 200

TEMPLATES = "notifications/history/evidence/"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: Delivery
    why: Explanation | None
    message: str  # as Tencent knows it
    fates: Sequence[Fate]


class EvidencePage:
    """Renders in the language and time zone that were active when it was created.

    The files are rendered later, piece by piece, when others may be active.
    """

    def __init__(
        self,
        notification: Notification,
        seal: Seal,
        newest: Seal,
        *,
        max_others: int = MAX_OTHERS,
        block_rows: int = BLOCK_ROWS,
    ) -> None:
        self._notification = notification
        self._max_others = max_others
        self._block_rows = block_rows
        self._language = translation.get_language() or "en"
        self._zone = timezone.get_current_timezone()
        self._context = {
            "n": notification,
            "has_numbers": CHANNELS[notification.channel].draws_random,
            "has_amendments": notification.amendments.exists(),
            "seal": seal,
            "newest": newest,
            "language": self._language,
            "zone": timezone.get_current_timezone_name(),
            "others": max_others,
            "version": __version__,
        }

    def html(self) -> Iterator[bytes]:
        """``index.html``; the deliveries are rendered in blocks."""
        gap = uuid.uuid4().hex
        number = self._notification.pk
        whole = self._render(
            "index.html",
            notification_detail=lambda: notification_detail(self._notification),
            timeline=lambda: actions_of_notification(number),
            amendments=lambda: amendments_of(self._notification),
            text_before=text_before(self._notification),
            instructions=lambda: self._render("verify.txt").decode(),
            gap=gap,
        )
        before, between, after = whole.split(gap.encode())
        rows: QuerySet[Delivery] = self._notification.deliveries.order_by("pk")
        rows = rows.prefetch_related("queries")
        yield before
        yield from self._rows(rows.filter(status__in=PROBLEMS))
        yield between
        yield from self._rows(rows.exclude(status__in=PROBLEMS)[: self._max_others])
        yield after

    def text(self) -> Iterator[bytes]:
        """``VERIFY.txt``."""
        yield self._render("verify.txt")

    def _rows(self, deliveries: QuerySet[Delivery]) -> Iterator[bytes]:
        rows = deliveries.iterator(chunk_size=self._block_rows)
        block = list(islice(rows, self._block_rows))
        yield self._block(block)
        while block := list(islice(rows, self._block_rows)):
            yield self._block(block)

    def _block(self, block: list[Delivery]) -> bytes:
        return self._render("rows.html", rows=lambda: list(_rows_of(block)))

    def _render(self, template: str, **values: Any) -> bytes:
        """Values that depend on the language are passed as functions."""
        with translation.override(self._language), timezone.override(self._zone):
            text = render_to_string(TEMPLATES + template, self._context | values)
        return text.encode()


def _rows_of(block: list[Delivery]) -> Iterator[DeliveryRow]:
    fates = fates_of(block)
    for row in block:
        yield DeliveryRow(
            row, explain(row), message_at_tencent(row), fates.get(row.pk, [])
        )
