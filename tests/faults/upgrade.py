"""A rolling upgrade while a large send runs: ``python -m tests.faults.upgrade``.

Two workers and, behind nginx, two instances of the pages run one release. During a send
the next release migrates the tables, and its processes replace the old ones one after
the other, while users load pages and submit forms. Needs nginx, openssl and PostgreSQL.
docs/deploy.md describes the steps, docs/reliability.md the results.
"""

import argparse
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.next_release import NextRelease
from tests.faults.runs import stage
from tests.faults.scene import Scene, Sent
from tests.faults.verdict import judge
from tests.faults.visitors import Visitors
from tests.faults.watched import Process
from tests.faults.web import Web

GROUPS = 10_000


def main() -> int:
    """Exit code 1 when something was called twice, lost, in doubt, or not served."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.upgrade")
    parser.add_argument("--groups", type=int, default=GROUPS)
    groups = parser.parse_args().groups
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with stage("postgresql") as here:
        folder = here.home / "upgrade"
        scene = Scene(
            here.place, folder, name="upgrade", groups=groups,
            random_source=random.Random(), is_long=True,
        )  # fmt: skip
        try:
            problems = _play(scene, folder)
        finally:
            scene.stop()
        if not problems:
            scene.remove()
    for problem in problems:
        say(problem)
    say("As promised." if not problems else "NOT as promised.")
    return 1 if problems else 0


def _play(scene: Scene, folder: Path) -> list[str]:
    scene.start()
    web = Web(scene, folder / "web")
    try:
        web.start()
        scene.have_workers(2)
        with Visitors(web.address, web.certificate, scene.order("session_key")) as them:
            sent = scene.send()
            them.look_at(sent.notification)
            _upgrade(scene, web, sent, NextRelease(folder / "next", scene.env))
            scene.wait_end(sent)
    finally:
        web.stop()
    return _told(scene, sent, them)


def _upgrade(scene: Scene, web: Web, sent: Sent, release: NextRelease) -> None:
    release.make()
    at = len(scene.groups) // 10
    scene.wait_calls(sent, at)
    _timed("migrate, while a long reader keeps the table", release.migrate_in_vain)
    _timed("migrate", release.migrate)
    scene.wait_calls(sent, 2 * at)
    old = [*scene.workers]
    # A process of the old release that restarts meanwhile, as after a crash.
    _timed("worker 1, old release anew", lambda: _replace(scene, old[0], None))
    scene.wait_calls(sent, 3 * at)
    _timed("worker 1", lambda: _replace(scene, scene.workers[-1], release))
    scene.wait_calls(sent, 4 * at)
    _timed("worker 2", lambda: _replace(scene, old[1], release))
    scene.wait_calls(sent, 5 * at)
    for n in range(2):
        _timed(f"pages {n + 1}", lambda n=n: web.replace(n, release))
    scene.wait_calls(sent, 8 * at)
    # And back: the tables stay.
    newest = scene.workers[-1]
    _timed("back: worker 2", lambda: _replace(scene, newest, None))
    _timed("back: pages 1", lambda: web.replace(0, None))


def _replace(scene: Scene, worker: Process, release: NextRelease | None) -> None:
    worker.signal(signal.SIGTERM)
    if code := worker.wait():
        raise AssertionError(f"SIGTERM ended a worker with {code}; see {worker.log}")
    scene.workers.remove(worker)
    more = release.place if release else {}
    settings = release.variables if release else {}
    fresh = Process(
        [*scene.entry, "send_worker"],
        scene.env | settings,
        scene.log_file("worker"),
        **more,
    )
    scene.workers.append(fresh)
    fresh.wait_until_it_says(r"Worker \d+ started")


def _timed(what: str, act: Callable[[], None]) -> None:
    began = time.monotonic()
    act()
    say(f"{what}: {time.monotonic() - began:.1f} s")


def _told(scene: Scene, sent: Sent, them: Visitors) -> list[str]:
    verdict = judge(scene.groups, scene.calls(sent), scene.rows(sent))
    say(
        f"{verdict.deliveries} groups: {verdict.twice} called twice, {verdict.lost} lost, "
        f"{verdict.stuck} stuck, {verdict.unconfirmed} not confirmed; {them.pages} pages "
        f"and {them.forms} forms, {len(them.problems)} of them failed, the slowest took "
        f"{them.slowest:.1f} s."
    )
    problems = verdict.problems[:20] + them.problems[:20]
    if verdict.unconfirmed:
        problems.append(f"{verdict.unconfirmed} deliveries are not confirmed.")
    return problems


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
