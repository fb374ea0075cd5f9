"""What people do at the wrong moment: send twice, pause, stop, restore a backup."""

import json
import shutil
import sqlite3
import time
from contextlib import closing

from tests.faults.places import manage
from tests.faults.scene import Scene, Sent, wait_for

A_WHILE = 0.6  # seconds in which a worker would have made a hundred calls
REFUSED = 2


def double_send(scene: Scene) -> list[Sent]:
    """The same draft is sent by two at the same moment."""
    scene.have_workers(1)
    content = scene.new_content()
    answer = scene.order("send_twice", content=content, patient=False)
    sent = Sent(answer["notification"], content)
    if answer["found"] != [sent.notification] * 2 or answer["sends"] != 1:
        raise AssertionError(f"Not one send that both found: {answer}")
    scene.wait_end(sent)
    return [sent]


def pause(scene: Scene) -> list[Sent]:
    """A person pauses a running send; nothing goes out until it is resumed."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, _early(scene))
    scene.order("pause", notification=sent.notification)
    _nothing_more(scene, sent)
    scene.order("resume", notification=sent.notification)
    scene.wait_end(sent)
    return [sent]


def stop(scene: Scene) -> list[Sent]:
    """A person stops a running send; what was not called is cancelled."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, _early(scene))
    scene.order("stop", notification=sent.notification)
    _nothing_more(scene, sent)
    scene.wait_end(sent)
    return [sent]


def _early(scene: Scene) -> int:
    """A number of calls after which many are still to be claimed, even on a machine
    that is too busy to act at once."""
    return scene.random.randrange(0, len(scene.groups) // 4)


def _nothing_more(scene: Scene, sent: Sent) -> None:
    """What was under way ends, and then no call is made. Raises ``AssertionError``."""
    ids = [sent.notification]
    wait_for(lambda: not scene.order("state", notifications=ids)["sending"], "answers")
    before = len(scene.calls(sent))
    time.sleep(A_WHILE)
    if len(scene.calls(sent)) != before:
        raise AssertionError("Calls were made after a person said no.")


def restore(scene: Scene) -> list[Sent]:
    """A backup of the middle of a send is put back after its end."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, _early(scene))
    path, backup = scene.sqlite_path(), scene.folder / "backup.sqlite3"
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(backup)) as target,
    ):
        source.backup(target)
    scene.wait_end(sent)
    wait_for(lambda: _mark(scene) >= scene.order("claimed"), "the worker's mark")
    worker = scene.workers[0]
    scene.kill(worker)
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    shutil.copy(backup, path)
    scene.order("end_lease", pid=worker.pid)
    before = len(scene.calls(sent))

    refusing = scene.start_worker()
    wait_for(lambda: not refusing.is_alive, "a worker that refuses an older database")
    if refusing.wait() != REFUSED or len(scene.calls(sent)) != before:
        raise AssertionError(f"The worker did not refuse; see {refusing.log}")
    manage(scene.env, "quarantine_restored")
    scene.have_workers(1)
    time.sleep(A_WHILE)
    scene.wait_end(sent)
    return [sent]


def _mark(scene: Scene) -> int:
    """How many calls the worker's file beside the database knows of."""
    marks = scene.state / "claims.json"
    return max(json.loads(marks.read_text()).values()) if marks.exists() else 0
