"""Accepting a notification to 100,000 groups, and the pages of others meanwhile."""

import sys
import threading
import time

import requests

from tests.benchmarks.report import Figure, quantile
from tests.benchmarks.scene import BenchmarkScene
from tests.faults.places import Place, free_port, manage
from tests.faults.watched import Process, wait_for

GROUPS = 100_000
SENDS = 3
PAGES = ("/", "/notifications/delivery/", "/notifications/chatgroup/")
IDLE_SECONDS = 10


class Reader:
    """A person who reads one page after another; ``seconds`` of each."""

    def __init__(self, address: str, session_key: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set("sessionid", session_key)
        self.seconds: list[float] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self.stopping.wait(0.02):
            page = PAGES[number % len(PAGES)]
            began = time.perf_counter()
            answer = self.session.get(
                self.address + page, timeout=60, allow_redirects=False
            )
            if answer.status_code != 200:
                raise RuntimeError(f"{page}: HTTP {answer.status_code}")
            self.seconds.append(time.perf_counter() - began)
            number += 1

    def __enter__(self) -> "Reader":
        self.thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stopping.set()
        self.thread.join()


def accept(place: Place) -> list[Figure]:
    """The seconds of the service; p95 of pages from gunicorn (2 processes, 4 threads)."""
    with BenchmarkScene(place, groups=GROUPS) as scene:
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
            wait_for(lambda: _answers(address), "gunicorn")
            key = scene.order("session_key")
            with Reader(address, key):
                time.sleep(2)  # both processes have loaded everything
            # Sent before as well: idle pages must show a history of the same size.
            scene.order("timed_send", content="first")
            with Reader(address, key) as idle:
                time.sleep(IDLE_SECONDS)
            seconds = []
            with Reader(address, key) as busy:
                for _n in range(SENDS):
                    answer = scene.order("timed_send", content=scene.new_content())
                    seconds.append(answer["seconds"])
        finally:
            web.popen.terminate()
            web.wait()
    here = place.vendor
    return [
        Figure(f"accept {GROUPS} groups, median of {SENDS}", here,
               quantile(seconds, 0.5), "s", 5),
        Figure("pages meanwhile, p95 beside idle", here, quantile(busy.seconds, 0.95),
               "s", 2, beside=quantile(idle.seconds, 0.95), of_ratio=True,
               remark=f"{len(busy.seconds)} pages"),
    ]  # fmt: skip


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/login/", timeout=5).ok
    except requests.ConnectionError:
        return False
