"""A state machine over the states of deliveries, with faults in a random order.

Hypothesis chooses what happens: sends, pauses, stops, kills, outages, steps of clocks, a
restore. After each step no live worker may have been declared dead, and the pace is kept.
At the end everything is repaired: then each delivery must have the one outcome that its
calls explain.
"""

import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notifications.delivery import controls, worker_lock
from notifications.delivery.amendments import WAIT
from notifications.delivery.channels import WRITABLE
from notifications.delivery.restore_guard import quarantine_restored
from notifications.models import (
    AMENDING,
    Channel,
    Delivery,
    Installation,
    Notification,
    Worker,
    WrongState,
)
from tests.delivery.model import (
    OUTCOMES,
    ModelWorker,
    ServerClock,
    World,
    key_of,
    wall_clock_of,
)
from tests.factories import (
    make_amending,
    make_amendment,
    make_delivery,
    make_group,
    make_notification,
    make_user,
)
from tests.faults.verdict import Row, judge

LIMIT = 20  # calls a second
MOST_WORKERS, MOST_NOTIFICATIONS = 3, 4
# Longer than a lease and all retries of a delivery.
SETTLED_AFTER = 120.0

numbers = st.integers(0, 10)


def can(fault: str) -> Any:
    return precondition(lambda self: fault in self.faults)


class Engine(RuleBasedStateMachine):
    """``faults`` names what may happen besides sends, and starts of workers."""

    faults: ClassVar = {
        "control", "kill", "sleep", "outage", "lost commit", "server clock",
        "wall clock", "restore",
    }  # fmt: skip
    server_steps: ClassVar[Sequence[float]] = (20, 3600, 0.03, -2, -20, -3600)

    def patches(self) -> dict[str, Any]:
        return {}

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.stack = ExitStack()
        self.world = world = World(seed)
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(lambda: transaction.set_rollback(rollback=True))
        self.stack.callback(worker_lock.release)
        for path, replacement in {
            "django.utils.timezone.now": world.wall,
            "notifications.delivery.worker.datetime": wall_clock_of(world),
            "notifications.delivery.worker.transaction": SimpleNamespace(
                atomic=world.commit
            ),
            "notifications.rate_limit.clock.execute": ServerClock(world),
            **self.patches(),
        }.items():
            self.stack.enter_context(patch(path, replacement))
        # The marks of an earlier example are those of another database.
        Installation.objects.update_or_create(pk=1, defaults={"key": uuid.uuid4()})
        self.user: User = make_user(superuser=True)
        self.notifications: list[int] = []
        self.backup: tuple[Any, list[int]] | None = None
        self.restored: set[str] = set()
        for _n in range(MOST_WORKERS):
            world.start_worker()

    # --- what happens ----------------------------------------------------------------

    @precondition(lambda self: len(self.notifications) < MOST_NOTIFICATIONS)
    @rule(
        answers=st.lists(
            st.lists(st.sampled_from(list(OUTCOMES)), max_size=2),
            min_size=1,
            max_size=12,
        ),
        channel=st.sampled_from(list(WRITABLE)),
    )
    def send(self, answers: list[list[str]], channel: str) -> None:
        notification = make_notification(
            sender=self.user,
            status="sending",
            sent_at=self.world.wall(),
            channel=channel,
        )
        for own in answers:
            group = make_group()
            self.world.answers[group.group_id] = list(own)
            make_delivery(notification, group, not_before=self.world.wall())
        self.notifications.append(notification.pk)

    @precondition(lambda self: self.notifications)
    @rule(
        n=numbers,
        answers=st.lists(st.sampled_from(list(OUTCOMES)), max_size=4),
        channel=st.sampled_from(AMENDING),
    )
    def amend(self, n: int, answers: list[str], channel: str) -> None:
        """As the services do: stop it, and insert a row for what may be in a group."""
        sent = Notification.objects.filter(
            pk__in=self.notifications, channel=Channel.GROUP_MESSAGE
        )
        originals = sent.filter(amendments=None).order_by("pk")
        if not originals:
            return
        original = originals[n % len(originals)]
        with suppress(WrongState):
            controls.stop(self.user, original.pk)
        rows = original.deliveries.filter(
            Q(status__in=["accepted", "sending"]) | Q(next_query_at__isnull=False)
        )
        if not rows:
            return
        run = make_amendment(
            original, channel=channel, sender=self.user, sent_at=self.world.wall()
        )
        for delivery in rows.order_by("-pk"):
            key = key_of(channel, delivery.group_id)
            self.world.answers[key] = list(answers)
            is_known = delivery.status == Delivery.Status.ACCEPTED
            due = self.world.wall() + (timedelta() if is_known else WAIT)
            make_amending(run, delivery, not_before=due)
        self.notifications.append(run.pk)

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule()
    def send_at_full_pace(self) -> None:
        self.world.run(0.6, step=0.025)

    @can("control")
    @precondition(lambda self: self.notifications)
    @rule(n=numbers, control=st.sampled_from(["pause", "resume", "stop"]))
    def press(self, n: int, control: str) -> None:
        pk = self.notifications[n % len(self.notifications)]
        with suppress(WrongState):
            getattr(controls, control)(self.user, pk)

    @precondition(lambda self: len(self.world.workers) < MOST_WORKERS)
    @rule()
    def start_worker(self) -> None:
        self.world.start_worker()

    @can("kill")
    @precondition(lambda self: self.world.workers)
    @rule(n=numbers)
    def kill(self, n: int) -> None:
        self.world.run(0.1)  # what is due is claimed
        workers = self.world.workers
        with_calls = [worker for worker in workers if worker.worker.in_flight]
        victims = with_calls or workers
        self._kill(victims[n % len(victims)])

    @can("sleep")
    @precondition(lambda self: self.world.workers)
    @rule(n=numbers, seconds=st.sampled_from([5.0, 12.5]))
    def sleep(self, n: int, seconds: float) -> None:
        self.world.workers[n % len(self.world.workers)].sleep(seconds)

    @can("sleep")
    @rule()
    def suspend_every_machine(self) -> None:
        for worker in self.world.workers:
            worker.sleep(0)
        self.world.now += 3600
        for worker in self.world.workers:
            worker.sleeps_until = max(worker.sleeps_until, self.world.now)

    @can("outage")
    @rule(seconds=st.sampled_from([0.4, 3.0, 12.5]))
    def lose_database(self, seconds: float) -> None:
        self.world.is_down = True
        self.world.run(seconds)
        self.world.is_down = False

    @can("lost commit")
    @rule()
    def lose_response_to_commit(self) -> None:
        self.world.loses_next_commit = True

    @can("server clock")
    @rule(n=numbers)
    def set_server_clock(self, n: int) -> None:
        self.world.server_ahead += self.server_steps[n % len(self.server_steps)]

    @can("wall clock")
    @rule(seconds=st.sampled_from([7200.0, -7200.0]))
    def set_wall_clock(self, seconds: float) -> None:
        self.world.wall_ahead += seconds

    @can("restore")
    @precondition(lambda self: self.backup is None)
    @rule()
    def back_up(self) -> None:
        self.backup = (transaction.savepoint(), list(self.notifications))

    @can("restore")
    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        for worker in list(self.world.workers):
            self._kill(worker)
        assert self.backup is not None
        savepoint, notifications = self.backup
        self.notifications = list(notifications)
        transaction.savepoint_rollback(savepoint)
        quarantine_restored("operator")
        rows = Delivery.objects.filter(reason="restored")
        self.restored = {key_of(row.channel, row.group_id) for row in rows}
        # Their attempts are lost, so nothing explains their calls.
        self.world.calls = [
            call for call in self.world.calls if call.group_id not in self.restored
        ]
        self.world.start_worker()

    def _kill(self, worker: ModelWorker) -> None:
        worker.http.make_calls()
        self.world.workers.remove(worker)

    # --- what must hold --------------------------------------------------------------

    @invariant()
    def no_live_worker_is_declared_dead(self) -> None:
        for worker in self.world.workers:
            assert worker.may_be_dead or not worker.was_declared_dead

    @invariant()
    def the_pace_is_kept(self) -> None:
        for starts in map(sorted, self.world.starts.values()):
            for first, after in zip(starts, starts[LIMIT:], strict=False):
                assert after - first >= 1

    @invariant()
    def a_message_has_one_number_for_ever(self) -> None:
        numbers = list(self.world.numbers.values())
        assert all(len(own) == 1 for own in numbers)
        assert len(set().union(*numbers)) == len(numbers)

    def teardown(self) -> None:
        with self.stack:
            self._repair()
            self.no_live_worker_is_declared_dead()
            self.the_pace_is_kept()
            self.a_message_has_one_number_for_ever()
            self._every_delivery_has_its_outcome()

    def _repair(self) -> None:
        """Start what is missing, continue what is paused, wait for the end."""
        world = self.world
        if not world.workers:
            world.start_worker()
        end = world.now + SETTLED_AFTER
        sent = Notification.objects.filter(pk__in=self.notifications)
        while world.now < end and sent.exclude(status__in=Notification.ENDED).exists():
            for pk in sent.filter(status="paused").values_list("pk", flat=True):
                with suppress(WrongState):
                    controls.resume(self.user, pk)
            world.run(5, step=0.25)
            # Tencent never answers: what waits for it ends.
            queried = Delivery.objects.filter(next_query_at__isnull=False)
            queried.update(next_query_at=None)
        # The calls of a stopped one are given up a lease after the death of a worker.
        while world.now < end and Delivery.objects.open().exists():
            world.run(1, step=0.5)

    def _every_delivery_has_its_outcome(self) -> None:
        for notification in Notification.objects.filter(pk__in=self.notifications):
            assert notification.has_ended
            rows = [_row(delivery) for delivery in notification.deliveries.all()]
            groups = [row.group_id for row in rows]
            calls = [call for call in self.world.calls if call.group_id in groups]
            verdict = judge(groups, calls, rows)
            assert verdict.problems == []
        called = {call.group_id for call in self.world.calls}
        assert not called & self.restored


def _row(delivery: Delivery) -> Row:
    attempts = delivery.attempts.order_by("number", "pk")
    return Row(
        group_id=key_of(delivery.channel, delivery.group_id),
        status=delivery.status,
        code=delivery.error_code,
        reason=delivery.reason,
        attempts=list(attempts.values_list("outcome", "error_code")),
    )


@pytest.fixture(autouse=True)
def _settings(settings, tmp_path):
    settings.IM_CALLS_PER_SECOND = LIMIT
    settings.STATE_DIR = tmp_path


def run(machine: type[Engine], *, examples: int, steps: int) -> None:
    """The same examples in each run; a failing one is printed as it was found."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            phases=[Phase.generate],
        ),
    )


@pytest.mark.django_db
def test_every_promise_is_kept_whatever_happens():
    run(Engine, examples=30, steps=20)


class ClockComparingEngine(Engine):
    """With the rule of an earlier version: a lease ends 10 s after its time."""

    def patches(self) -> dict[str, Any]:
        def end_dead_workers(_watch: object, _boot_id: str, pk: int, now: Any) -> None:
            server_time = self.world.now + self.world.server_ahead
            Worker.objects.filter(
                ended_at__isnull=True, lease__lt=server_time - 10
            ).exclude(pk=pk).update(ended_at=now)

        return {"notifications.delivery.recovery.end_dead_workers": end_dead_workers}


class AfterOutage(ClockComparingEngine):
    faults: ClassVar = {"outage"}


class AfterStepForward(ClockComparingEngine):
    faults: ClassVar = {"server clock"}
    server_steps: ClassVar = (20.0,)


class KilledBeforeStepBack(ClockComparingEngine):
    faults: ClassVar = {"kill", "server clock"}
    server_steps: ClassVar = (-3600.0,)


@pytest.mark.django_db
@pytest.mark.one_database  # the former rule is in Python, and each takes a minute
@pytest.mark.parametrize(
    "engine", [AfterOutage, AfterStepForward, KilledBeforeStepBack]
)
def test_it_finds_what_was_wrong_with_leases_that_compare_clocks(engine):
    # Far more examples than it takes: the first failure ends the run.
    with pytest.raises(AssertionError):
        run(engine, examples=400, steps=12)
