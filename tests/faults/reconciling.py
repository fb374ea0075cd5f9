"""Calls without a verdict, and what the history of the group says about them later.

Half of the groups have a fault after which it is not known whether Tencent stored the
message. In the short form, the settings of the queries are a third of the defaults.
"""

import time

from tests.faults.scene import Scene, Sent

SCALE = 3
SETTINGS_LONG = {"IM_DEFAULT_CHANNEL": "group_message"}
SETTINGS = {
    **SETTINGS_LONG,
    "IM_QUERY_AFTER_SECONDS": str(30 / SCALE),
    "IM_QUERY_AGAIN_AFTER_SECONDS": str(60 / SCALE),
}
WITHIN = 150.0  # seconds from the last call to the verdict
SETTLED_SHARE = 0.99
# Longer than any query takes, so that one that never ends is seen.
PATIENCE = 180.0

# Stored, and the answer was lost.
STORED = (
    "reset_after", "close_after", "no_answer", "truncated", "status_502",
    "shown_then_code:10002",
)  # fmt: skip
NOT_STORED = ("reset_before", "silent_before", "code:10002", "reset_before")
# Each second group has a fault.
ANSWERS = tuple(
    fault
    for n in range(12)
    for fault in ("", STORED[n % len(STORED)], "", NOT_STORED[n % len(NOT_STORED)])
)


def reconcile(scene: Scene) -> list[Sent]:
    """One of two workers is killed while it sends, the older one while it asks."""
    scene.have_workers(2)
    sent = scene.send()
    scene.wait_calls(sent, scene.somewhere())
    scene.kill(scene.random.choice(scene.workers))
    scene.have_workers(2)
    scene.wait_end(sent)
    time.sleep(scene.random.uniform(0, 10))
    scene.kill(scene.workers[0])
    scene.have_workers(2)
    wait_settled(scene, sent)
    _check(scene, sent)
    return [sent]


def wait_settled(scene: Scene, sent: Sent) -> None:
    """Until no query is open. What is still open after the time is counted as stuck."""
    deadline = time.monotonic() + PATIENCE + len(scene.groups) / 50
    while time.monotonic() < deadline:
        if not scene.order("open_queries", notification=sent.notification):
            return
        time.sleep(0.5)


def _check(scene: Scene, sent: Sent) -> None:
    """Raises ``AssertionError`` for a promise that the verdict on calls does not cover."""
    found = scene.order("settled", notification=sent.notification)
    seconds = found["seconds"]
    late = [one for one in seconds if one > WITHIN]
    scene.note(
        f"asked about {len(seconds)}, settled in {max(seconds, default=0):.1f} s at "
        f"most, {len(late)} of them after {WITHIN:.0f} s"
    )
    if len(late) > (1 - SETTLED_SHARE) * len(seconds):
        raise AssertionError(f"{len(late)} of {len(seconds)} were settled too late.")
    groups_of: dict[int, set[tuple[str, str]]] = {}
    for call in scene.calls(sent):
        groups_of.setdefault(call.random, set()).add((call.group_id, sent.content))
    if twice := [number for number, groups in groups_of.items() if len(groups) > 1]:
        raise AssertionError(f"Numbers of two deliveries: {twice}")
