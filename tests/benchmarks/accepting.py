"""Accepting a notification to 100,000 groups, and the pages of other users meanwhile."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import requests

from tests.benchmarks.report import Figure, quantile
from tests.benchmarks.scene import BenchmarkScene
from tests.faults.places import Place, free_port, manage
from tests.faults.watched import Process, wait_for

LATENCY = (80, 40)  # milliseconds, jitter

PAGES = ("/", "/history/deliveries/", "/notifications/chatgroup/")


class Reader:
    """A user who loads one page after another; ``seconds`` of each.

    ``pause`` is in seconds. Each page is loaded at least once. The end raises the error of a failed page.
    """

    def __init__(
        self,
        address: str,
        session_key: str,
        pages: Sequence[str],
        *,
        pause: float = 0.02,
    ) -> None:
        self.address = address
        self.pages = pages
        self.pause = pause
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set("sessionid", session_key)
        self.seconds: list[float] = []
        self.failure: Exception | None = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self.stopping.wait(self.pause) or len(self.seconds) < len(
                self.pages
            ):
                self._read(self.pages[len(self.seconds) % len(self.pages)])
        except Exception as failure:  # noqa: BLE001  raised where it is waited for
            self.failure = failure

    def _read(self, page: str) -> None:
        began = time.perf_counter()
        answer = self.session.get(
            self.address + page, timeout=60, allow_redirects=False
        )
        if answer.status_code != 200:
            raise RuntimeError(f"{page}: HTTP {answer.status_code}")
        self.seconds.append(time.perf_counter() - began)

    def __enter__(self) -> "Reader":
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self.stopping.set()
        self.thread.join()
        if self.failure and kind is None:
            raise self.failure


def accept(
    place: Place,
    *,
    groups: int = 100_000,
    sends: int = 3,
    idle_seconds: float = 10,
    pages: Sequence[str] = PAGES,
) -> list[Figure]:
    """The seconds of the service; p95 of pages from gunicorn (2 processes, 4 threads)."""
    with BenchmarkScene(place, groups=groups) as scene:
        with served(scene) as address:
            key = scene.order("session_key")
            with Reader(address, key, pages):
                time.sleep(2)  # until both processes have loaded everything
            # Send before as well, so that idle pages show a history of the same size.
            scene.order("timed_send", content="first")
            with Reader(address, key, pages) as idle:
                time.sleep(idle_seconds)
            answers = []
            with Reader(address, key, pages) as busy:
                for _n in range(sends):
                    content = scene.new_content()
                    answers.append(scene.order("timed_send", content=content))
        accepted = [answer["notification"] for answer in answers]
        if scene.order("state", notifications=accepted)["open"] != groups * sends:
            raise RuntimeError("Not every group is to be called.")
    here = place.vendor
    seconds = [answer["seconds"] for answer in answers]
    return [
        Figure(f"accept {groups} groups, median of {sends}", here,
               quantile(seconds, 0.5), "s", 5),
        Figure(f"accept {groups} groups: CPU, median of {sends}", here,
               quantile([answer["cpu"] for answer in answers], 0.5), "s", 3,
               remark="with the session of PostgreSQL"),
        Figure("pages meanwhile, p95 beside idle", here, quantile(busy.seconds, 0.95),
               "s", 2, beside=quantile(idle.seconds, 0.95), of_ratio=True,
               remark=f"{len(busy.seconds)} pages"),
    ]  # fmt: skip


def accept_beside(
    place: Place,
    *,
    groups: int = 1_000_000,
    seconds: float = 20,
    pages: Sequence[str] = PAGES,
) -> list[Figure]:
    """A large send that is accepted during another one, and pages at the same time."""
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        scene.order("timed_send", content="first")
        with served(scene) as address:
            scene.have_workers(1)
            key = scene.order("session_key")
            with Reader(address, key, pages):
                time.sleep(2)  # until both processes have loaded everything
            scene.received()
            with Reader(address, key, pages) as idle:
                time.sleep(seconds)
            before = len(scene.received()) / seconds
            with Reader(address, key, pages) as busy:
                answer = scene.order("timed_send", content=scene.new_content())
            clocks = [clock for _unix, clock in scene.received()]
        rows = scene.order("state", notifications=[answer["notification"]])["rows"]
        if rows != groups:
            raise RuntimeError(f"There are {rows} deliveries for {groups} groups.")
    here = place.vendor
    pauses = (later - earlier for earlier, later in pairwise(sorted(clocks)))
    longest = max(pauses, default=0.0)
    return [
        Figure(f"accept {groups} groups during a send", here, answer["seconds"], "s", 120),
        Figure("calls of that send meanwhile", here, len(clocks) / answer["seconds"],
               "calls/s", 0.95, at_least=True, beside=before, of_ratio=True,
               remark=f"longest pause {longest:.2f} s"),
        Figure("pages meanwhile, p95 beside those before", here,
               quantile(busy.seconds, 0.95), "s", 2, beside=quantile(idle.seconds, 0.95),
               of_ratio=True, remark=f"{len(busy.seconds)} pages"),
    ]  # fmt: skip


@contextmanager
def served(scene: BenchmarkScene) -> Iterator[str]:
    """The address of gunicorn with 2 processes of 4 threads."""
    manage(scene.env, "collectstatic", "--no-input", "--verbosity=0")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    web = Process(
        [sys.executable, "-m", "gunicorn", "notifier_site.wsgi", "--workers", "2",
         "--worker-class", "gthread", "--threads", "4", "--no-control-socket",
         "--log-level", "warning", "--bind", f"127.0.0.1:{port}"],
        scene.env,
        scene.log_file("web"),
    )  # fmt: skip
    try:
        wait_for(lambda: responds(address), "gunicorn")
        yield address
    finally:
        web.popen.terminate()
        web.wait()
    if web.popen.returncode:
        raise RuntimeError(f"gunicorn failed; see {web.log}")


def responds(address: str) -> bool:
    try:
        return requests.get(f"{address}/login/", timeout=60).ok
    except requests.ConnectionError:
        return False
