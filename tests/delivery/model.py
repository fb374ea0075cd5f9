"""A model of everything around the worker: clocks, database outages, Tencent, processes.

The workers in it are real ``SendWorker`` objects on the real database, one tick at a
time; only their HTTP threads and clocks are replaced. All of them share one database
connection, inside a transaction that the test rolls back.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction

from notifications import conf
from notifications.delivery.claim import Claim
from notifications.delivery.http_workers import Result
from notifications.delivery.recovery import LEASE_CHECKS
from notifications.delivery.worker import SendWorker
from notifications.models import AMENDING, Channel, Worker
from notifications.rate_limit.clock import POSTGRESQL, EngineClock
from notifications.rate_limit.slots import MAX_START_DELAY
from notifications.tencent.calls.send_group_msg import Receipt
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from tests.faults.verdict import Call

ANSWER_SECONDS = 0.08
REST_AFTER_ERROR = 1.0
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)


def _answer(kind: OutcomeKind, code: int) -> Outcome:
    return Outcome(kind, http_status=200, action_status="OK", error_code=code)


OUTCOMES = {
    "accepted": _answer(OutcomeKind.ACCEPTED, 0),
    "gone": _answer(OutcomeKind.REJECTED, 10010),
    "busy": _answer(OutcomeKind.REJECTED, 60018),
    "uncertain": _answer(OutcomeKind.REJECTED, 60008),
    "dropped": _answer(OutcomeKind.ACCEPTED, 0),  # of a message, as the receipt says
    "no_answer": Outcome(OutcomeKind.UNCONFIRMED, Reason.NO_ANSWER),
    "not_sent": Outcome(OutcomeKind.NOT_SENT, Reason.REFUSED),
}


# The RetCode of a recall that has the answer "dropped".
CANNOT_BE_RECALLED = 10033


def key_of(channel: str, group_id: str) -> str:
    """Identifies the calls of a delivery: a group has a send, and changes of it."""
    return f"{channel} {group_id}" if channel in AMENDING else group_id


class World:
    """``now`` is the true time in seconds, which every monotonic clock shows.

    ``server_ahead`` and ``wall_ahead`` are the errors of the server's and of the
    machines' wall clock. ``answers`` are the next outcomes by ``key_of``.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 1000.0
        self.server_ahead = 1e6
        self.wall_ahead = 0.0
        self.is_down = False
        self.loses_next_commit = False
        self.workers: list[ModelWorker] = []
        self.answers: dict[str, list[str]] = {}
        self.calls: list[Call] = []
        self.starts: dict[str, list[float]] = defaultdict(list)  # of calls, by command
        self.numbers: dict[str, set[int]] = defaultdict(set)  # of messages, by group

    def wall(self, at: float | None = None) -> datetime:
        seconds = (self.now if at is None else at) + self.wall_ahead
        return EPOCH + timedelta(seconds=seconds)

    def start_worker(self) -> None:
        self.workers.append(ModelWorker(self))

    def run(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass. The workers tick in a random order."""
        end = self.now + seconds - 1e-9
        while self.now < end:
            self.now += step
            for worker in self.random.sample(self.workers, len(self.workers)):
                worker.live()

    def connect(self) -> None:
        if self.is_down:
            raise OperationalError("The server is away.")

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Replaces ``transaction.atomic`` of the worker."""
        with transaction.atomic():
            yield
        if self.loses_next_commit:
            self.loses_next_commit = False
            raise OperationalError("The response to COMMIT was lost.")


class ModelWorker:
    """A process. It can sleep until a time, with all its threads.

    ``may_be_dead``: it slept for so long that others may declare it dead.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.sleeps_until = 0.0
        self.may_be_dead = False
        self.rests_until = 0.0
        self.worker = SendWorker(
            conf.connection(),
            EngineClock(POSTGRESQL, lambda: world.now),
            stop_requested=lambda: False,
        )
        self.http = HttpThreads(world)
        self.worker.http_workers = self.http  # type: ignore[assignment]
        self.worker.clock.read_database()
        self.worker._register()

    @property
    def was_declared_dead(self) -> bool:
        row = Worker.objects.get(pk=self.worker.worker_id)
        return row.ended_at is not None

    def sleep(self, seconds: float) -> None:
        self.http.make_calls()
        self.sleeps_until = self.world.now + seconds
        self.may_be_dead |= seconds > LEASE_CHECKS - 1

    def live(self) -> None:
        """What the process does at this moment."""
        now = self.world.now
        if now < self.sleeps_until:
            return
        self.http.make_calls(not_before=self.sleeps_until)
        if now < self.rests_until:
            return
        try:
            self.world.connect()
            own_id = self.worker.worker_id
            self.worker._tick(claiming=True)
            # It takes another id when the others declared it dead.
            assert self.may_be_dead or self.worker.worker_id == own_id
            self.may_be_dead = False
        except OperationalError:
            self.worker._after_database_error()
            self.rests_until = now + REST_AFTER_ERROR * self.world.random.uniform(1, 2)


class HttpThreads:
    """Stands in for ``HttpWorkers``: each call begins at its slot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.free = 64
        self._claims: list[Claim] = []
        self._results: list[tuple[float, Result[Claim]]] = []  # and when it is there

    def keep_alive(self) -> None:
        """The threads of the model do not die."""

    def submit(self, claim: Claim, _slot: float) -> None:
        self.free -= 1
        self._claims.append(claim)

    def results(self) -> list[Result[Claim]]:
        results = [r for at, r in self._results if at <= self.world.now]
        self._results = [pair for pair in self._results if pair[0] > self.world.now]
        self.free += len(results)
        return results

    def make_calls(self, *, not_before: float = 0.0) -> None:
        """Begin the calls whose slot has come; slots ``not_before`` were missed."""
        for claim in [c for c in self._claims if c.slot <= self.world.now]:
            self._claims.remove(claim)
            if claim.slot < not_before:
                wall = self.world.wall()
                self._results.append((self.world.now, Result(claim, wall, wall)))
            else:
                self._results.append(self._make_call(claim))

    def _make_call(self, claim: Claim) -> tuple[float, Result[Claim]]:
        at = claim.slot + self.world.random.uniform(0, MAX_START_DELAY)
        wall = self.world.wall(at)
        key = key_of(claim.channel.word, claim.target.group_id)
        queue = self.world.answers.get(key)
        answer = queue.pop(0) if queue else "accepted"
        outcome, data, code = OUTCOMES[answer], None, OUTCOMES[answer].error_code
        if claim.target.random is not None:
            self.world.numbers[key].add(claim.target.random)
            if outcome.kind is OutcomeKind.ACCEPTED:
                data = Receipt(1, 1, "MsgFreqCtrl" if answer == "dropped" else "")
        elif claim.channel.word == Channel.RECALL and code == 0:
            code = CANNOT_BE_RECALLED if answer == "dropped" else 0
            data = {claim.target.msg_seq: code}
        if outcome.kind is not OutcomeKind.NOT_SENT:
            self.world.calls.append(Call(key, code))
            self.world.starts[claim.channel.command].append(at)
        result = Result(claim, wall, wall, outcome, data, called_at=at)
        return at + ANSWER_SECONDS, result


class ServerClock:
    """Stands in for the statement with which the engine's clock reads the time."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, _sql: str) -> list[tuple[float]]:
        return [(self.world.now + self.world.server_ahead,)]


def wall_clock_of(world: World) -> Any:
    """Return the replacement of ``datetime`` in the worker."""

    class WallClock(datetime):
        @classmethod
        def now(cls, _tz: object = None) -> datetime:  # type: ignore[override]
            return world.wall()

    return WallClock
