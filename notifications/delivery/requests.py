"""Requests of pages that the worker answers: ``ask`` in a page, the task in the worker.

A handler gets the user and the parameters and returns the answer as JSON values. It checks
the permission again: the page checked it when the request was made.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from notifications.delivery.background import BackgroundTask, StopRequested
from notifications.delivery.threads import REQUESTS
from notifications.models import WorkerRequest
from notifications.models.worker_requests import VALID_FOR

EVERY = 0.5  # seconds
POLL_SECONDS = 0.2
# The keys of an answer that is none: sentences of a refusal, or an unexpected error.
REFUSED, FAILED = "refused", "failed"

# One page of each process waits; the other threads serve everything else, as Stop all.
_waits = threading.Lock()

Answer = dict[str, Any]
Handler = Callable[[User, dict[str, Any]], Answer]


@transaction.atomic
def ask(user: User, kind: WorkerRequest.Kind, parameters: Answer) -> WorkerRequest:
    """Return the request of this user with these parameters, made now unless it is valid.

    A request of the same kind with other parameters is replaced.
    """
    request, is_new = WorkerRequest.objects.select_for_update().get_or_create(
        requested_by=user, kind=kind, defaults={"parameters": parameters}
    )
    if not is_new and not (request.is_valid and request.parameters == parameters):
        request.created_at = timezone.now()
        request.parameters, request.answer = parameters, None
        request.save()
    return request


def wait_for_answer(
    request: WorkerRequest, seconds: float, *, keep: bool = False
) -> Answer | None:
    """The answer, or ``None`` if there is none in time; removed unless ``keep``.

    While another page waits, it is not awaited. Call it outside of a transaction. Raises
    ``ValidationError`` if the worker refused.
    """
    if request.answer is None and _waits.acquire(blocking=False):
        try:
            until = time.monotonic() + seconds
            while request.answer is None and time.monotonic() < until:
                wait()
                request.refresh_from_db()
        finally:
            _waits.release()
    if request.answer is None:
        return None
    answer: Answer = request.answer
    if REFUSED in answer or not keep:
        request.delete()
    if REFUSED in answer:
        raise ValidationError(answer[REFUSED])
    return answer


def wait() -> None:
    """Give the worker time to answer."""
    time.sleep(POLL_SECONDS)


def request_task(
    handlers: Mapping[WorkerRequest.Kind, Handler], *, every: float = EVERY
) -> BackgroundTask:
    """Return the task that answers the requests of pages."""

    def work(task: BackgroundTask) -> None:
        answer_waiting(handlers, pause=task.pause)
        old = WorkerRequest.objects.filter(
            created_at__lt=timezone.now() - 10 * VALID_FOR
        )
        if old.exists():  # else DELETE would lock an SQLite database each time
            old.delete()

    return BackgroundTask(REQUESTS, work, every=every)


def answer_waiting(
    handlers: Mapping[WorkerRequest.Kind, Handler],
    *,
    pause: Callable[[], object] = lambda: None,
) -> None:
    """Answer the valid requests, oldest first. An unexpected error is an answer as well."""
    waiting = WorkerRequest.objects.filter(
        answer__isnull=True, created_at__gte=timezone.now() - VALID_FOR
    ).order_by("created_at")
    for request in waiting.select_related("requested_by"):
        pause()
        handle = handlers[WorkerRequest.Kind(request.kind)]
        try:
            answer = handle(request.requested_by, request.parameters)
        except ValidationError as error:
            answer = {REFUSED: error.messages}
        except PermissionDenied as error:
            answer = {REFUSED: [str(error)]}
        except (StopRequested, DatabaseError, InterfaceError):
            raise
        except BaseException:
            _store(request, {FAILED: True})
            raise
        _store(request, answer)


def _store(request: WorkerRequest, answer: Answer) -> None:
    """Write the answer, unless the page has asked something else meanwhile."""
    WorkerRequest.objects.filter(pk=request.pk, created_at=request.created_at).update(
        answer=answer
    )
