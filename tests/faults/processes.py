"""Faults of a worker's process: killed, asked to stop, stopped and continued."""

import signal
import sys
import time

from tests.faults.scene import Scene, Sent

DYING = [sys.executable, "-m", "tests.faults.dying"]
# Ten checks, which an idle worker makes every 1.25 s, and the first one.
BEYOND_THE_LEASE = 15.0


def kill_one(scene: Scene) -> list[Sent]:
    """kill -9 of the only worker; another worker starts."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    scene.kill(scene.workers[0])
    scene.have_workers(1)
    scene.wait_end(sent)
    return [sent]


def kill_one_of_three(scene: Scene) -> list[Sent]:
    """kill -9 of one of three workers; the others go on."""
    scene.have_workers(3)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    scene.kill(scene.random.choice(scene.workers))
    scene.wait_end(sent)
    return [sent]


def terminate(scene: Scene) -> list[Sent]:
    """SIGTERM: no delivery is left unconfirmed; another worker finishes."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    worker = scene.workers[0]
    worker.signal(signal.SIGTERM)
    if code := worker.wait():
        raise AssertionError(f"SIGTERM ended the worker with {code}; see {worker.log}")
    scene.have_workers(1)
    scene.wait_end(sent)
    return [sent]


def stand_still(scene: Scene) -> list[Sent]:
    """SIGSTOP of one of two workers beyond its lease, then SIGCONT."""
    scene.have_workers(2)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    sleeper = scene.random.choice(scene.workers)
    sleeper.signal(signal.SIGSTOP)
    time.sleep(BEYOND_THE_LEASE)
    sleeper.signal(signal.SIGCONT)
    scene.wait_end(sent)
    # The worker that was declared dead meanwhile must make calls again.
    scene.have_workers(2)
    again = scene.send()
    scene.wait_end(again)
    return [sent, again]


def threads_die(scene: Scene) -> list[Sent]:
    """Errors in every thread of the worker, which ends and is replaced each time."""
    usual, scene.entry = scene.entry, DYING
    sent = scene.send()
    for _n in range(4):
        scene.have_workers(1)
        worker = scene.workers[0]
        calls = len(scene.calls(sent))
        deadline = time.monotonic() + 10  # a paused notification makes no more calls
        while worker.is_alive and time.monotonic() < deadline:
            if len(scene.calls(sent)) >= calls + 40:
                break
            time.sleep(0.05)
        worker.signal(signal.SIGTERM)
        if worker.wait() not in (0, 1):
            raise AssertionError(f"It ended with {worker.wait()}; see {worker.log}")
    scene.entry = usual
    scene.have_workers(1)
    scene.wait_end(sent)
    return [sent]
