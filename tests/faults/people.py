"""Actions of users at a bad moment: send twice, pause, stop."""

import time

from tests.faults.scene import Scene, Sent
from tests.faults.watched import wait_for

A_WHILE = 0.6  # seconds in which a worker would have made a hundred calls


def double_send(scene: Scene) -> list[Sent]:
    """Two requests send the same draft at the same time."""
    scene.have_workers(1)
    content = scene.new_content()
    answer = scene.order("send_twice", content=content, patient=False)
    sent = Sent(answer["notification"], content)
    if answer["found"] != [sent.notification] * 2 or answer["sends"] != 1:
        raise AssertionError(f"Not one send that both found: {answer}")
    scene.wait_end(sent)
    return [sent]


def pause(scene: Scene) -> list[Sent]:
    """A user pauses a running send; no call is made until it is resumed."""
    scene.have_workers(1)
    sent = scene.send()
    scene.wait_calls(sent, _early(scene))
    scene.order("pause", notification=sent.notification)
    _nothing_more(scene, sent)
    scene.order("resume", notification=sent.notification)
    scene.wait_end(sent)
    return [sent]


def stop(scene: Scene) -> list[Sent]:
    """A user stops a running send; deliveries that were not called are cancelled."""
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
    """Check that no call follows those in progress. Raises ``AssertionError``."""
    ids = [sent.notification]
    wait_for(lambda: not scene.order("state", notifications=ids)["sending"], "answers")
    before = len(scene.calls(sent))
    time.sleep(A_WHILE)
    if len(scene.calls(sent)) != before:
        raise AssertionError("Calls were made after a person said no.")
