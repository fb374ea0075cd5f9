"""The progress of a notification, computed once for all who ask within a second.

Each open page of a notification asks every two seconds (``progress.js``). The answer is
the same for everyone, so each web process computes it at most once a second; who may see
it is checked in every request, before. What a person changes shows at once: the state of
the notification and the switch for all sending are read in every request, and an answer
from another state is not used.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from notifications.delivery.progress import Progress, progress_of
from notifications.delivery.waiting import Facts, facts_of
from notifications.models import Notification

SHARED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """``state`` and ``at``: for which state of the notification, and when it was read."""

    progress: Progress
    facts: Facts
    state: tuple[str, datetime | None]
    at: float


@dataclass(slots=True)
class _Slot:
    """``lock`` is held while the answer is computed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer | None = None


class SharedProgress:
    """The answers of this process by notification; ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[int, _Slot] = {}

    def get(self, notification: Notification) -> Answer:
        """Of several who ask at the same time one computes, and the others wait."""
        slot = self._slot(notification)
        with slot.lock:
            answer = slot.answer
            if (
                answer is None
                or answer.state != _state(notification)
                or not self._is_recent(answer)
            ):
                answer = slot.answer = self._compute(notification)
            return answer

    def refresh(self, notification: Notification) -> Answer:
        """Compute the answer anew, for a page that a person opens."""
        answer = self._compute(notification)
        self._slot(notification).answer = answer
        return answer

    def clear(self) -> None:
        with self._lock:
            self._slots.clear()

    def _slot(self, notification: Notification) -> _Slot:
        with self._lock:
            if notification.pk not in self._slots:
                self._slots = {
                    pk: slot
                    for pk, slot in self._slots.items()
                    if slot.answer is None or self._is_recent(slot.answer)
                }
            return self._slots.setdefault(notification.pk, _Slot())

    def _is_recent(self, answer: Answer) -> bool:
        return self._clock() - answer.at < SHARED_SECONDS

    def _compute(self, notification: Notification) -> Answer:
        at = self._clock()
        progress = progress_of(notification)
        facts = facts_of(notification, timezone.now())
        return Answer(progress, facts, _state(notification), at)


def _state(notification: Notification) -> tuple[str, datetime | None]:
    return notification.status, notification.watched_since


SHARED = SharedProgress()
