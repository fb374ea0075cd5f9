"""The pool of HTTP threads: late requests, defects, and a stop."""

import time
from dataclasses import dataclass

import pytest

from notifications import conf
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.rate_limit.clock import EngineClock
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from notifications.tencent.responses import Read

ACCEPTED = Outcome(OutcomeKind.ACCEPTED)


@dataclass(frozen=True)
class Probe:
    """A request that only notes its call."""

    calls: list[str]
    may_start_late: bool = False
    seconds: float = 0.0
    error: Exception | None = None

    def call(self, client):
        self.calls.append("call")
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return Read(ACCEPTED, "data")


@pytest.fixture
def workers(sandbox):
    """Two threads; stopped at the end."""
    workers = HttpWorkers(conf.connection(), EngineClock("here", time.monotonic), 2)
    workers.start()
    yield workers
    workers.stop()


def perform(workers: HttpWorkers, request: Probe, delay: float = 0.05) -> Result:
    workers.submit(request, time.monotonic() + delay)
    (result,) = workers.results(20)
    assert result.request is request
    return result


def test_a_call_starts_at_its_slot(workers):
    slot = time.monotonic() + 0.1

    result = perform(workers, Probe([], may_start_late=True), delay=0.1)

    assert (result.outcome, result.data, result.defect) == (ACCEPTED, "data", None)
    assert result.called_at >= slot
    assert result.started_at <= result.finished_at


def test_a_missed_slot_makes_no_call(workers):
    calls = []

    result = perform(workers, Probe(calls), delay=-0.1)

    assert (result.outcome, result.data, result.called_at) == (None, None, 0.0)
    assert calls == []


def test_a_request_that_may_start_late_is_called(workers):
    result = perform(workers, Probe([], may_start_late=True), delay=-0.1)

    assert result.outcome is ACCEPTED


def test_without_a_connection_no_call_is_made(settings, workers):
    settings.IM_BASE_URL = "http://127.0.0.1:9"
    calls = []
    unreachable = HttpWorkers(conf.connection(), workers.clock, 1)
    unreachable.start()

    result = perform(unreachable, Probe(calls))
    unreachable.stop()

    assert result.outcome is not None
    assert result.outcome.reason is Reason.REFUSED
    assert calls == []


def test_a_defect_is_a_result_and_the_thread_goes_on(workers):
    error = KeyError("mistake")

    for _n in range(3):  # more than there are threads
        result = perform(workers, Probe([], may_start_late=True, error=error))
        assert (result.defect, result.outcome) == (error, None)

    assert perform(workers, Probe([], may_start_late=True)).outcome is ACCEPTED


def test_a_stop_finishes_the_calls_under_way(workers):
    calls = []
    slow = Probe(calls, may_start_late=True, seconds=0.2)
    for _n in range(2):
        workers.submit(slow, time.monotonic())
    assert workers.free == 0
    while len(calls) < 2:
        time.sleep(0.01)

    workers.stop()

    assert [result.outcome for result in workers.results()] == [ACCEPTED] * 2
    assert workers.free == 2
