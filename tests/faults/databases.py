"""Faults of the database: restarted, a session ended, cut off, locked, no space left."""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.places import PostgresPlace
from tests.faults.processes import BEYOND_THE_LEASE
from tests.faults.proxy import Cable
from tests.faults.scene import Scene, Sent

# The first number of a worker's advisory lock (notifications/delivery/worker_lock.py).
NAMESPACE = 1_231_975
LIMIT = 200  # calls a second
AWAY = (12.5, 15.0)  # seconds


def restart_fast(scene: Scene) -> list[Sent]:
    """PostgreSQL ends its sessions and starts again."""
    return _restart(scene, "fast")


def restart_immediate(scene: Scene) -> list[Sent]:
    """PostgreSQL crashes and recovers from its log."""
    return _restart(scene, "immediate")


def _restart(scene: Scene, mode: str) -> list[Sent]:
    scene.have_workers(2)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    _server(scene).restart(mode)
    scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


def away(scene: Scene) -> list[Sent]:
    """PostgreSQL is away for longer than a lease; three workers have calls in progress."""
    scene.have_workers(3)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    _server(scene).halt(scene.random.choice(["fast", "immediate"]))
    time.sleep(scene.random.uniform(*AWAY))
    _server(scene).go_on()
    scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


def clock_set(scene: Scene) -> list[Sent]:
    """PostgreSQL's clock is set 20 s forward and an hour back; three workers go on."""
    scene.have_workers(3)
    sent = scene.send()
    with _clock_steps(scene) as steps:
        places = sorted(scene.somewhere() for _step in steps)
        for set_clock, calls in zip(steps, places, strict=True):
            scene.wait_calls(sent, calls)
            set_clock()
        scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


def clock_set_after_kill(scene: Scene) -> list[Sent]:
    """The same after a kill -9 of one of them: its calls are given up all the same."""
    scene.have_workers(3)
    sent = scene.send()
    with _clock_steps(scene) as steps:
        scene.wait_calls(sent, scene.somewhere())
        scene.kill(scene.random.choice(scene.workers), ends_lease=False)
        scene.random.choice(steps)()
        scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


@contextmanager
def _clock_steps(scene: Scene) -> Iterator[list[Callable[[], None]]]:
    """Yield the steps of the clock in a random order. At the end it is right again.

    Raises ``AssertionError`` if more calls than the limit were made within a second.
    """
    clock = _server(scene).clock
    seconds = [20, -3600]
    scene.random.shuffle(seconds)
    totals = itertools.accumulate(seconds)
    try:
        yield [partial(clock.set, total) for total in totals]
    finally:
        clock.set(0)
    if (most := scene.order("most_calls_in_a_second")) > LIMIT:
        raise AssertionError(f"{most} calls within a second")


def end_session(scene: Scene) -> list[Sent]:
    """The server ends a worker's session."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    _server(scene).execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
        "AND classid = %s",
        [NAMESPACE],
        url=scene.url,
    )
    scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


def cut_off(scene: Scene) -> list[Sent]:
    """One worker of three loses PostgreSQL for longer than its lease, then reconnects."""
    server = _server(scene)
    with Cable(server.port) as cable:
        scene.have_workers(2)
        through_cable = scene.url.replace(f":{server.port}/", f":{cable.port}/")
        scene.start_worker(DATABASE_URL=through_cable)
        scene.have_workers(3)
        sent = scene.send()
        scene.wait_calls(sent, scene.somewhere())
        cable.cut()
        time.sleep(BEYOND_THE_LEASE)
        cable.heal()
        scene.wait_end(sent)
        again = scene.send()
        scene.wait_end(again)
        _all_alive(scene)
        scene.kill(scene.workers[-1])
    return [sent, again]


def locked(scene: Scene) -> list[Sent]:
    """Another process holds SQLite's write lock for 8 seconds."""
    return _lock(scene, workers=1, seconds=8)


def locked_beyond_the_lease(scene: Scene) -> list[Sent]:
    """Another process holds SQLite's write lock for longer than the lease."""
    return _lock(scene, workers=3, seconds=scene.random.uniform(*AWAY))


def _lock(scene: Scene, *, workers: int, seconds: float) -> list[Sent]:
    scene.have_workers(workers)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    session = sqlite3.connect(scene.sqlite_path(), isolation_level=None, timeout=60)
    session.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    session.execute("ROLLBACK")
    session.close()
    scene.wait_end(sent)
    _all_alive(scene)
    return [sent]


def disk_full(scene: Scene) -> list[Sent]:
    """No space is left on the disk of the database and the state, for 3 seconds."""
    return _fill(scene, "")


def disk_full_beside(scene: Scene) -> list[Sent]:
    """The database has room in its files, but no other file can grow."""
    return _fill(scene, "claims")


def _fill(scene: Scene, names: str) -> list[Sent]:
    assert scene.machine is not None
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    scene.machine.fill_disk(names)
    time.sleep(3)
    scene.machine.free_disk()
    _all_alive(scene)
    scene.wait_end(sent)
    return [sent]


def _server(scene: Scene) -> PostgresPlace:
    assert isinstance(scene.place, PostgresPlace)
    return scene.place


def _all_alive(scene: Scene) -> None:
    """Check that the workers survived. Raises ``AssertionError``."""
    for worker in scene.workers:
        if not worker.is_alive:
            raise AssertionError(f"A worker ended by itself; see {worker.log}")
