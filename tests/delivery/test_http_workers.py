"""The pool of HTTP threads: late requests, defects, and a stop."""

import sys
import threading
import time
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from notifications import conf
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.delivery.threads import Deaths
from notifications.rate_limit.clock import EngineClock
from notifications.tencent.calls.account_check import AccountCheck
from notifications.tencent.outcomes import OutcomeKind, Reason

pytestmark = pytest.mark.one_database

CHECK = AccountCheck(["administrator"])


@dataclass(frozen=True)
class Probe:
    """A request with a call that changes nothing."""

    may_start_late: bool = False
    call: AccountCheck = CHECK


@pytest.fixture
def workers(sandbox):
    """Two threads; stopped at the end."""
    clock = EngineClock("here", time.monotonic)
    workers = HttpWorkers(conf.connection(), clock, 2, Deaths(), "calls")
    workers.keep_alive()
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
    unreachable = HttpWorkers(conf.connection(), workers.clock, 1, Deaths(), "calls")
    unreachable.keep_alive()

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
        assert result.outcome.kind is OutcomeKind.NOT_SENT
        assert result.outcome.reason is Reason.DEFECT

    result = perform(workers, Probe(may_start_late=True))
    assert result.outcome.kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("error", [SystemExit(), MemoryError(), KeyError()])
def test_an_error_after_the_first_byte_leaves_the_call_unconfirmed(workers, error):
    reading = patch("notifications.tencent.client.parse_response", side_effect=error)
    with reading:
        result = perform(workers, Probe(may_start_late=True))

    assert result.defect is error
    assert (result.outcome.kind, result.outcome.reason) == (
        OutcomeKind.UNCONFIRMED,
        Reason.DEFECT,
    )
    for _n in range(3):
        result = perform(workers, Probe(may_start_late=True))
        assert result.outcome.kind is OutcomeKind.ACCEPTED


def test_without_a_client_no_call_is_made(workers):
    with patch.object(conf.Connection, "client", side_effect=ValueError("bad port")):
        result = perform(workers, Probe())

    assert result.outcome.kind is OutcomeKind.NOT_SENT
    assert result.outcome.detail == "An unexpected error: ValueError."


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_in_a_call_leaves_it_unconfirmed(workers, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(workers, "_perform", lambda *_: sys.exit("no memory"))
        workers.submit(Probe(), time.monotonic())
        while {"http-0", "http-1"} <= {thread.name for thread in threading.enumerate()}:
            time.sleep(0.01)

    workers.keep_alive()

    (result,) = workers.results(20)
    assert result.outcome.kind is OutcomeKind.UNCONFIRMED
    assert workers.free == 2
    perform(workers, Probe(may_start_late=True))


def test_without_any_thread_requests_come_back(sandbox):
    deaths = Deaths()
    clock = EngineClock("here", time.monotonic)
    workers = HttpWorkers(conf.connection(), clock, 2, deaths, "calls")
    refusal = RuntimeError("can't start new thread")
    with patch.object(threading.Thread, "start", side_effect=refusal):
        workers.keep_alive()
        assert workers.free == 0
        workers.submit(Probe(), time.monotonic())
        workers.keep_alive()
    workers.stop()

    (result,) = workers.results(20)
    assert (result.outcome, result.called_at) == (None, 0.0)
    assert deaths.counts == {"calls": 2}


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
