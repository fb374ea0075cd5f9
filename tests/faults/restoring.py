"""The drill: restore a backup made in the middle of a send, and resend the rest.

It follows docs/backup.md with the programs named there.
"""

import json
import signal
from dataclasses import replace

from tests.faults.places import manage
from tests.faults.scene import Scene, Sent
from tests.faults.watched import Process, wait_for

REFUSED = 2


def restore(scene: Scene) -> list[Sent]:
    """No group is called twice unless a user requests it, and none is lost."""
    scene.have_workers(1)
    sealed = scene.send()
    scene.wait_end(sealed)
    wait_for(lambda: scene.order("head") != "", "a seal")
    head = scene.order("head")
    worker = _slow_worker(scene)
    sent = scene.send()
    scene.wait_calls(sent, scene.random.randrange(1, len(scene.groups) // 15))
    copies = scene.folder / "copies" / str(sent.notification)
    copies.mkdir(parents=True)
    scene.place.back_up(scene.env, copies)
    # The send continues, and the machine fails before its end.
    claimed = scene.order("claimed")
    wait_for(lambda: _mark(scene) > claimed, "the worker's mark")
    scene.kill(worker)
    scene.place.put_back(scene.env, copies)
    scene.order("end_lease", pid=worker.pid)
    before = len(scene.calls(sent))

    refusing = scene.start_worker()
    wait_for(lambda: not refusing.is_alive, "a worker that refuses an older database")
    if refusing.wait() != REFUSED:
        raise AssertionError(f"The worker did not refuse; see {refusing.log}")
    manage(scene.env, "quarantine_restored")
    said = manage(scene.env, "verify_history", "--expect", head)
    if not said.endswith("Unchanged.\n"):
        raise AssertionError(f"verify_history said {said}")
    scene.have_workers(1)
    scene.wait_end(sent)  # it resumes what was paused
    if len(scene.calls(sent)) != before:
        raise AssertionError("Groups were called again without a request.")

    answer = scene.order("send_unconfirmed_again", notification=sent.notification)
    again = Sent(
        answer["notification"],
        sent.content,
        first=before,
        groups=answer["groups"],
    )
    scene.wait_end(again)
    _nobody_is_missing(scene, sent, again)
    return [sealed, replace(sent, last=before), again]


def _slow_worker(scene: Scene) -> Process:
    """Replace the endpoint by a slower one: the send must outlast the backup."""
    scene.workers[0].signal(signal.SIGTERM)
    scene.workers[0].wait()
    rate = min(200, max(1, len(scene.groups) // 20))
    worker = scene.start_worker(IM_CALLS_PER_SECOND=str(rate))
    scene.have_workers(1)
    return worker


def _nobody_is_missing(scene: Scene, sent: Sent, again: Sent) -> None:
    """Check that each group accepted the text. Raises ``AssertionError``."""
    accepted = {
        row.group_id
        for part in (sent, again)
        for row in scene.rows(part)
        if row.status == "accepted"
    }
    if missing := set(scene.groups) - accepted:
        raise AssertionError(f"{len(missing)} groups never accepted it.")


def _mark(scene: Scene) -> int:
    """The number of calls in the worker's restore mark next to the database."""
    marks = scene.state / "claims.json"
    return max(json.loads(marks.read_text()).values()) if marks.exists() else 0
