"""The pool of HTTP threads: late requests, defects, and a stop."""

import time
from dataclasses import dataclass

import pytest

from notifications import conf
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.rate_limit.clock import EngineClock
from notifications.tencent.calls.account_check import AccountCheck
from notifications.tencent.outcomes import OutcomeKind, Reason

CHECK = AccountCheck(["administrator"])


@dataclass(frozen=True)
class Probe:
    """A request with a call that changes nothing."""

    may_start_late: bool = False
    call: AccountCheck = CHECK


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

    result = perform(workers, Probe(may_start_late=True), delay=0.1)

    assert result.outcome.kind is OutcomeKind.ACCEPTED
    assert (result.data, result.defect) == ({"administrator"}, None)
    assert result.called_at >= slot
    assert result.started_at <= result.finished_at


def test_a_missed_slot_makes_no_call(sandbox, workers):
    result = perform(workers, Probe(), delay=-0.1)

    assert (result.outcome, result.data, result.called_at) == (None, None, 0.0)
    assert sandbox.calls.codes("account_check") == []


def test_a_request_that_may_start_late_is_called(workers):
    result = perform(workers, Probe(may_start_late=True), delay=-0.1)

    assert result.outcome.kind is OutcomeKind.ACCEPTED


def test_without_a_connection_no_call_is_made(settings, workers):
    settings.IM_BASE_URL = "http://127.0.0.1:9"
    unreachable = HttpWorkers(conf.connection(), workers.clock, 1)
    unreachable.start()

    result = perform(unreachable, Probe())
    unreachable.stop()

    assert result.outcome is not None
    assert result.outcome.reason is Reason.REFUSED
    assert result.called_at == 0.0


def test_a_defect_is_a_result_and_the_thread_goes_on(workers):
    mistake = Probe(may_start_late=True, call=AccountCheck([]))

    for _n in range(3):  # more than there are threads
        result = perform(workers, mistake)
        assert isinstance(result.defect, ValueError)
        assert result.outcome is None

    result = perform(workers, Probe(may_start_late=True))
    assert result.outcome.kind is OutcomeKind.ACCEPTED


def test_a_stop_finishes_the_calls_under_way(sandbox, workers):
    sandbox.fail_next("account_check", "slow:200", times=2)
    for _n in range(2):
        workers.submit(Probe(may_start_late=True), time.monotonic())
    assert workers.free == 0
    while len(sandbox.calls.codes("account_check")) < 2:
        time.sleep(0.01)

    workers.stop()

    kinds = [result.outcome.kind for result in workers.results()]
    assert kinds == [OutcomeKind.ACCEPTED] * 2
    assert workers.free == 2
