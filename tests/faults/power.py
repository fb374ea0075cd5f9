"""Power cuts on SQLite: all processes die at once, only synced data survives."""

import signal

from tests.faults.scene import Scene, Sent


def power_cut(scene: Scene) -> list[Sent]:
    """The machine loses power in the middle of a send and restarts."""
    return _cut(scene)


def power_cut_unsafe(scene: Scene) -> list[Sent]:
    """The control: with synchronous=NORMAL, calls must be made twice.

    The send itself is synced first, and the restore mark next to the database is
    removed, so that the control tests SQLite alone.
    """
    return _cut(scene, is_control=True)


def _cut(scene: Scene, *, is_control: bool = False) -> list[Sent]:
    assert scene.machine is not None
    scene.have_workers(1)
    sent = scene.send()
    if is_control:
        scene.order("checkpoint")
    least = len(scene.groups) // 3 if is_control else 0
    scene.wait_calls(sent, max(least, scene.somewhere()))
    worker = scene.workers.pop()
    worker.signal(signal.SIGKILL)
    worker.wait()
    scene.machine.come_back()
    mark = scene.state / "claims.json"
    if is_control:
        mark.unlink(missing_ok=True)
    elif not mark.exists() and scene.random.random() < 0.5:
        # Renamed before its content was written: some file systems leave this.
        mark.touch()
    scene.order("end_lease", pid=worker.pid)
    scene.have_workers(1)
    scene.wait_end(sent)
    return [sent]
