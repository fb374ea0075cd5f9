"""Makes the calls of a probe and interprets their responses."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from django.conf import settings

from notifications import conf
from notifications.models import ChatGroup
from notifications.rate_limit.clock import engine_clock
from notifications.rate_limit.limiter import RateLimiter
from notifications.rate_limit.slots import wait_for_slot
from notifications.system.connection_check import CONNECT_TIMEOUT, RESPONSE_TIMEOUT
from notifications.system.probe.steps import STEPS, Step
from notifications.system.probe.trial import Answer, Learnt, Trial
from notifications.tencent import error_codes
from notifications.tencent.calls.base import Call
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome, OutcomeKind
from notifications.tencent.responses import Response

# Seconds. A message may appear in the history a moment after the response.
HISTORY_PAUSE = 0.5
# Seconds after which no message is sent any more, so that the rest ends in a minute.
SENDING_SECONDS = 20.0


def steps_for(group: ChatGroup) -> list[Step]:
    return [step for step in STEPS if group.type not in step.refused_types]


@contextmanager
def _client() -> Iterator[ImClient]:
    connection = conf.connection()
    endpoint = replace(
        connection.endpoint,
        connect_timeout=min(connection.endpoint.connect_timeout, CONNECT_TIMEOUT),
        read_timeout=min(connection.endpoint.read_timeout, RESPONSE_TIMEOUT),
        total_deadline=RESPONSE_TIMEOUT,
    )
    with closing(replace(connection, endpoint=endpoint).client()) as client:
        yield client


class Run:
    """Makes the calls within the rate limits that all processes share.

    After the first call without an answer, after ``SENDING_SECONDS``, and if the right is
    lost or all sending is stopped, no more messages are sent. Those that were sent are
    taken back.
    """

    def __init__(self, trial: Trial, is_allowed: Callable[[], bool]) -> None:
        self._trial = trial
        self._is_allowed = is_allowed
        self._clock = engine_clock()
        self._may_send = True
        self._send_until = time.monotonic() + SENDING_SECONDS

    def run(self) -> None:
        with _client() as client:
            for step in steps_for(self._trial.group):
                if not step.seen or self._may_still_send():
                    self._try(step, client)

    def _try(self, step: Step, client: ImClient) -> None:
        for number in range(step.tries):
            if number:
                time.sleep(HISTORY_PAUSE)
            call = step.call(self._trial)
            if call is None or not self._interpret(step, self._call(call, client)):
                return

    def _interpret(self, step: Step, response: Response[Any]) -> bool:
        """Return whether to try again."""
        trial = self._trial
        outcome = response.outcome
        if step.message and outcome.kind not in (
            OutcomeKind.REJECTED,
            OutcomeKind.NOT_SENT,
        ):
            trial.attempted.add(step.message)
        if outcome.kind is OutcomeKind.ACCEPTED:
            for learnt in step.learn(trial, response.data):
                trial.learnt[learnt.name] = learnt
            known = trial.learnt.get(step.capability)
            return known is None or known.answer != Answer.YES
        if outcome.kind is not OutcomeKind.REJECTED:
            self._may_send = trial.is_complete = False
        known = trial.learnt.get(step.capability)
        if known is None or known.answer != Answer.YES:
            trial.learnt[step.capability] = _failed(step, outcome)
        return False

    def _may_still_send(self) -> bool:
        if self._may_send:
            is_in_time = time.monotonic() < self._send_until
            self._may_send = is_in_time and self._is_allowed()
        if not self._may_send:
            self._trial.is_complete = False
        return self._may_send

    def _call(self, call: Call[Any], client: ImClient) -> Response[Any]:
        limiter = RateLimiter(
            f"{settings.IM_SDK_APP_ID}:{call.COMMAND}", _rate(call), self._clock
        )
        while True:
            failure = client.connect()
            if failure is not None:
                return Response(failure)
            self._wait_for_slot(limiter)
            response = client.call(call)
            code = response.outcome.error_code
            if code and error_codes.info(code, call.COMMAND).is_rate_limit:
                limiter.slow_down()
            if not response.outcome.retry_with_new_signature:
                return response

    def _wait_for_slot(self, limiter: RateLimiter) -> None:
        while True:
            for slot in limiter.take(1):
                if wait_for_slot(slot, self._clock):
                    return
            time.sleep(0.005)


def _rate(call: Call[Any]) -> float:
    """Calls of the whole account in a second, which never exceed the setting."""
    return min(conf.calls_per_second(), call.CALLS_PER_SECOND * conf.RATE_SHARE)


def _failed(step: Step, outcome: Outcome) -> Learnt:
    """What a refusal, or a call without an answer, shows about the capability."""
    if outcome.kind is not OutcomeKind.REJECTED:
        return Learnt(
            step.capability, Answer.UNKNOWN, str(outcome.reason), detail=outcome.detail
        )
    is_refused = outcome.error_code in step.not_allowed
    return Learnt(
        step.capability,
        Answer.NO if is_refused else Answer.UNKNOWN,
        error_code=outcome.error_code,
        detail=outcome.error_info,
    )
