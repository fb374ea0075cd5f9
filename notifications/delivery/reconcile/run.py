"""Ask about all deliveries that are due: submit calls, read pages, write the answers.

Only the answers of a few queries are in memory. After a crash, nothing is lost but
queries under way, which the next worker makes again.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from notifications import conf
from notifications.audit.settings_changes import application_since
from notifications.delivery.background import StopRequested
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.delivery.reconcile import questions, repeats, verdicts
from notifications.delivery.reconcile.history import (
    Answer,
    Finding,
    Verdict,
    stored_answer,
    without_others,
)
from notifications.delivery.reconcile.pace import QueryPace
from notifications.delivery.reconcile.questions import (
    HistoryRequest,
    Kind,
    Question,
    RepeatRequest,
)
from notifications.delivery.reconcile.verdicts import Answered
from notifications.delivery.threads import RECONCILING, Deaths
from notifications.rate_limit.backoff import backoff
from notifications.rate_limit.clock import EngineClock
from notifications.tencent import error_codes
from notifications.tencent.calls.send_group_msg import Receipt
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason

logger = logging.getLogger(__name__)

THREADS = 16

# The longest wait for a result in one round, in seconds.
RESULT_TIMEOUT = 0.02

# Answers written in one transaction: few, so that a send never waits for long.
ANSWERS_PER_WRITE = 8

BLOCK = 64

# In seconds: the checks for sends and for deliveries that have become due. No answer
# waits longer until it is written.
CHECK_INTERVAL = 1.0

# Each page is tried so often; after that, the query has no answer.
MAX_TRIES = 3

# Live rooms whose notification is paused are looked at again after this time.
PAUSED_WAIT = timedelta(seconds=5)


class ReconcileRun:
    """Runs until no query is due. ``may_go_on`` is called in every round, ``pause``
    between two transactions; ``deaths`` counts threads that end.
    """

    def __init__(
        self,
        im: conf.Connection,
        clock: EngineClock,
        *,
        worker_id: Callable[[], int],
        may_go_on: Callable[[], bool],
        pause: Callable[[], None],
        deaths: Deaths | None = None,
        threads: int = THREADS,
    ) -> None:
        self.im = im
        self.clock = clock
        self.worker_id = worker_id
        self.may_go_on = may_go_on
        self.pause = pause
        self.deaths = deaths or Deaths()
        self.http_workers: HttpWorkers[HistoryRequest | RepeatRequest] = HttpWorkers(
            im, clock, threads, self.deaths, RECONCILING
        )
        # A group of another application may have the same ID, and another history.
        self.application_since = application_since()
        self.pace = QueryPace(im.endpoint.sdk_app_id, clock)
        self.waiting: deque[Question] = deque()  # for their next call
        self.in_progress: dict[int, Question] = {}  # by delivery
        self.unwritten: list[Answered] = []
        self.next_check = 0.0
        self.has_more = True  # as of the last query

    def run(self) -> None:
        """Raises ``DatabaseError``. After a stop request, calls in progress are written."""
        try:
            with suppress(StopRequested):
                while self.may_go_on() and self._run_round():
                    pass
        finally:
            self.http_workers.stop()
        for result in self.http_workers.results():
            self._process(result)
        self._write(pause=lambda: None)

    def _run_round(self) -> bool:
        """Run one round; return whether work is left."""
        is_waiting = bool(self.in_progress or self.waiting)
        for result in self.http_workers.results(RESULT_TIMEOUT if is_waiting else 0.0):
            self._process(result)
        has_time = not self.in_progress and not self.waiting
        if len(self.unwritten) >= ANSWERS_PER_WRITE or has_time:
            self._write(self.pause)
        self._check()
        self._load()
        self._submit()
        return bool(self.in_progress or self.waiting or self.has_more)

    def _check(self) -> None:
        now = self.clock.machine()
        if now >= self.next_check:
            self.next_check = now + CHECK_INTERVAL
            self.http_workers.keep_alive()
            self.has_more = True
            self._write(self.pause)
            self.pace.update(now)

    def _load(self) -> None:
        """Read due deliveries when no question waits for a thread."""
        if self.waiting or not self.has_more or not self.http_workers.free:
            return
        now = datetime.now(UTC)
        unfinished = [*self.in_progress]
        unfinished += [answer.question.delivery_id for answer in self.unwritten]
        due = questions.due(
            now,
            BLOCK,
            self.im.endpoint.identifier,
            without=unfinished,
            application_since=self.application_since,
        )
        self.waiting.extend(due.questions)
        if due.closed:
            verdicts.close(due.closed)
        self.has_more = bool(due.questions or due.closed)

    def _submit(self) -> None:
        """Submit the calls that are due, within the rate limits."""
        now = self.clock.machine()
        ready = [one for one in self.waiting if one.due <= now]
        for command in dict.fromkeys(one.command for one in ready):
            mine = [one for one in ready if one.command == command]
            free = min(len(mine), self.http_workers.free)
            slots = self.pace.limiter(command).take(free)
            if slots:
                self._start_allowed(mine[: len(slots)], slots)

    def _start_allowed(self, ready: Sequence[Question], slots: Sequence[float]) -> None:
        now = datetime.now(UTC)
        allowed = repeats.allowed(ready, now)
        for question in ready:
            self.waiting.remove(question)
        closed = [*allowed.closed]
        for slot, question in zip(slots, allowed.questions, strict=False):
            if self._is_in_time(question, slot):
                self._start(question, slot)
            else:
                closed.append(question.delivery_id)
        if closed:
            verdicts.close(closed)
        if allowed.waiting:
            verdicts.postpone(allowed.waiting, now + PAUSED_WAIT)

    def _is_in_time(self, question: Question, slot: float) -> bool:
        if question.kind is not Kind.REPEAT:
            return True
        at = datetime.now(UTC) + timedelta(seconds=slot - self.clock.machine())
        return at < question.repeat_until

    def _start(self, question: Question, slot: float) -> None:
        request = question.request()
        self.in_progress[question.delivery_id] = question
        self.http_workers.submit(request, slot)

    # --- answers -------------------------------------------------------------------

    def _process(self, result: Result[HistoryRequest | RepeatRequest]) -> None:
        question = result.request.question
        del self.in_progress[question.delivery_id]
        if result.defect is not None:
            self.deaths.record(RECONCILING, result.defect, question.log_fields)
        if result.outcome is None:
            self.waiting.append(question)  # the slot was missed
            return
        question.started_at = question.started_at or result.started_at
        if result.answered_at is not None:
            behind = result.finished_at.timestamp() - result.answered_at
            question.clock_behind = max(question.clock_behind or 0.0, behind)
        question.requests.append(result.request.call.payload())
        if isinstance(result.data, Answer):
            self._read_page(question, result.data, result.finished_at)
        elif isinstance(result.data, Receipt) and not result.data.drop_reason:
            receipt = {"MsgSeq": result.data.msg_seq, "MsgTime": result.data.msg_time}
            question.answers.append(_verdict_fields(result.outcome) | receipt)
            finding = Finding(Verdict.PRESENT, reason=Reason.REPEATED)
            self.unwritten.append(Answered(question, finding, result.finished_at))
        else:
            self._process_failure(question, result.outcome, result)

    def _read_page(
        self, question: Question, answer: Answer, finished_at: datetime
    ) -> None:
        question.failures = 0
        page = without_others(question.searched, answer.page)
        question.answers.append(stored_answer(answer.fields, page))
        question.pages.append(page)
        finding = question.judge()
        if finding is None:
            self.waiting.appendleft(question)
        else:
            self.unwritten.append(Answered(question, finding, finished_at))

    def _process_failure(
        self,
        question: Question,
        outcome: Outcome,
        result: Result[HistoryRequest | RepeatRequest],
    ) -> None:
        question.answers.append(_verdict_fields(outcome))
        question.failures += 1
        code = outcome.error_code
        info = None if code is None else error_codes.info(code, question.command)
        if info is not None and info.is_rate_limit:
            self.pace.limiter(question.command).slow_down()
        if question.kind is not Kind.REPEAT and question.failures < MAX_TRIES:
            may_pass = (
                outcome.kind is not OutcomeKind.REJECTED
                or outcome.retry_with_new_signature
                or (info is not None and info.retry is error_codes.Retry.AFTER_BACKOFF)
            )
            if may_pass:
                delay = backoff(question.failures - 1, jitter=0)
                question.due = self.clock.machine() + delay
                self.waiting.append(question)
                return
        detail = outcome.detail or outcome.error_info
        if isinstance(result.data, Receipt):
            detail = result.data.drop_reason
        finding = Finding(Verdict.NO_ANSWER, detail)
        self.unwritten.append(Answered(question, finding, result.finished_at, code))

    def _write(self, pause: Callable[[], None]) -> None:
        """Write a few answers at a time: a commit blocks other connections."""
        while self.unwritten:
            batch = self.unwritten[:ANSWERS_PER_WRITE]
            verdicts.write(batch, self.worker_id(), datetime.now(UTC))
            del self.unwritten[: len(batch)]
            if self.unwritten:
                pause()


def _verdict_fields(outcome: Outcome) -> dict[str, object]:
    """The answer as it is kept; empty if none came."""
    if outcome.error_code is None:
        return {}
    return {
        "ActionStatus": outcome.action_status,
        "ErrorCode": outcome.error_code,
        "ErrorInfo": outcome.error_info,
    }
