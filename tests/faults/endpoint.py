"""Faults of the endpoint and of the clock."""

import signal
import time

from tests.faults.scene import Scene, Sent

# The faults of the sandbox, for one group after another.
NETWORK = (
    "", "reset_before", "", "reset_after", "", "close_after", "", "truncated", "",
    "garbage", "", "html", "", "bool_code", "", "status_502", "", "redirect", "",
    "no_answer", "", "slow:600", "", "code:10010", "",
)  # fmt: skip
NETWORK_LONG = (*NETWORK, "code_times:60007:1", "", "shown_then_code:10002", "")


def down(scene: Scene) -> list[Sent]:
    """The endpoint refuses connections for 30 seconds (3 in the short form)."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    scene.sandbox.signal(signal.SIGKILL)
    scene.sandbox.stop()
    time.sleep(30 if scene.is_long else 3)
    scene.start_sandbox()
    scene.wait_end(sent)
    return [sent]


def network(scene: Scene) -> list[Sent]:
    """Every second answer has a fault, of each kind in turn."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_end(sent)
    return [sent]


def clock_jumps(scene: Scene) -> list[Sent]:
    """The wall clock of the worker's machine jumps two hours forward and back."""
    assert scene.machine is not None
    scene.machine.clock.set(0)
    scene.have_workers(1)
    sent = scene.send()
    jumps = [2 * 3600, -2 * 3600]
    scene.random.shuffle(jumps)
    places = sorted(scene.somewhere() for _jump in jumps)
    for seconds, calls in zip(jumps, places, strict=True):
        scene.wait_calls(sent, calls)
        scene.machine.clock.set(seconds)
    # Notifications sent while the clock is wrong must go out, too.
    again = scene.send()
    scene.wait_end(sent, again)
    return [sent, again]
