"""Recalls and corrections, while processes are killed and the database is away.

Half of the groups have a fault: in the send before a recall, in the recall, or in the
correction. The journal of the sandbox has each change that was carried out, so it shows
whether each verdict is right, and each message that was forgotten.
"""

import time
import uuid

from tests.faults.places import PostgresPlace
from tests.faults.reconciling import NOT_STORED, STORED, wait_settled
from tests.faults.scene import Scene, Sent

SETTINGS = {
    "IM_DEFAULT_CHANNEL": "group_message",
    "IM_QUERY_AFTER_SECONDS": "10",
    "IM_QUERY_AGAIN_AFTER_SECONDS": "10",
}
# Longer than the queries of the send and those of its recall.
PATIENCE = 240.0
AWAY = (2.0, 4.0)  # seconds

# Not carried out, carried out and refused, and answered in an odd way.
OF_RECALLS = (
    *STORED, *NOT_STORED, "ret_code:10031", "shown_then_ret_code:10032",
    "code_times:60007:1", "ret_code:10030", "code:10010", "slow:600",
)  # fmt: skip
OF_CORRECTIONS = (*STORED, *NOT_STORED, "code_times:60007:1", "code:10010", "slow:600")

RECALL_ANSWERS = tuple(
    answer
    for n, fault in enumerate(OF_RECALLS)
    for answer in (
        "",
        f"group_msg_recall={fault}",
        (*STORED, *NOT_STORED)[n % (len(STORED) + len(NOT_STORED))],
        f"reset_after group_msg_recall={fault}",
    )
)
CORRECTION_ANSWERS = tuple(
    answer for fault in OF_CORRECTIONS for answer in ("", f"modify_group_msg={fault}")
)


def recall(scene: Scene) -> list[Sent]:
    """Pressed in the middle of a send by three workers, of which one is killed."""
    scene.have_workers(3)
    sent = scene.send()
    scene.wait_calls(sent, scene.random.randrange(10, len(scene.groups) // 2))
    run = _order(scene, "recall", sent, f"{sent.content}: wrong")
    scene.wait_calls(run, scene.random.randrange(1, 10))
    scene.kill(scene.random.choice(scene.workers))
    scene.have_workers(2)
    if isinstance(scene.place, PostgresPlace):
        scene.place.halt(scene.random.choice(["fast", "immediate"]))
        time.sleep(scene.random.uniform(*AWAY))
        scene.place.go_on()
    scene.wait_end(sent, run, seconds=PATIENCE)
    scene.kill(scene.workers[0])  # while it asks
    scene.have_workers(3)
    wait_settled(scene, sent)
    scene.wait_end(run, seconds=PATIENCE)
    wait_settled(scene, run)
    _check(scene, sent, run)
    return [sent, run]


def correct(scene: Scene) -> list[Sent]:
    """Two workers, of which one is killed; then a second text over the first one."""
    scene.have_workers(2)
    sent = scene.send()
    scene.wait_end(sent)
    runs = []
    for number in (1, 2):
        run = _order(scene, "correct", sent, f"{sent.content}: text {number}")
        scene.wait_calls(run, scene.random.randrange(1, 40))
        scene.kill(scene.random.choice(scene.workers))
        scene.have_workers(2)
        scene.wait_end(run, seconds=PATIENCE)
        wait_settled(scene, run)
        _check(scene, sent, run)
        runs.append(run)
    return [sent, *runs]


def _order(scene: Scene, name: str, sent: Sent, content: str) -> Sent:
    run = scene.order(
        name, notification=sent.notification, content=content, token=str(uuid.uuid4())
    )
    return Sent(run["notification"], content, groups=run["groups"])


def _check(scene: Scene, sent: Sent, run: Sent) -> None:
    """Raises ``AssertionError`` for a message that was forgotten, or a wrong verdict."""
    stored = {call.group_id for call in scene.calls(sent) if call.stored}
    changed = {call.group_id for call in scene.calls(run) if call.stored}
    rows = {row.group_id: row for row in scene.rows(run)}
    sends = {row.group_id: row for row in scene.rows(sent)}
    forgotten = [
        group_id
        for group_id in stored - rows.keys()
        if sends[group_id].status != "unconfirmed"
    ]
    if forgotten:
        raise AssertionError(f"Messages without a row: {forgotten}")
    wrong = [
        f"{row.group_id} {row.status}({row.reason or row.code})"
        for row in rows.values()
        if row.status in ("accepted", "failed", "cancelled")
        and (row.status == "accepted") != (row.group_id in changed)
    ]
    if wrong:
        raise AssertionError(f"Verdicts that the sandbox contradicts: {wrong}")
    scene.note(
        f"{len(rows)} rows, {len(changed)} changed, "
        f"{sum(row.status == 'unconfirmed' for row in rows.values())} not confirmed"
    )
