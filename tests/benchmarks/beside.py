"""A send at the real pace beside people who look at its page; and beside everything."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.benchmarks.accepting import Reader, responds
from tests.benchmarks.report import Figure, most_in_a_second, quantile
from tests.benchmarks.scene import PACE, BenchmarkScene
from tests.benchmarks.syncing import wait_sync_end
from tests.faults.places import Place, free_port, manage
from tests.faults.scene import Sent
from tests.faults.watched import Process, wait_for

LATENCY = (80, 40)  # milliseconds, jitter
LIMIT = 200
POLL_SECONDS = 2.0  # as in progress.js
EXPORT_SECONDS = 15.0  # 30 downloads of one person in 300 s are allowed
TARGET = 188.0  # calls per second
TICKS = 100  # of /proc/…/stat, in a second


def beside(place: Place, *, groups: int = 6000, viewers: int = 50) -> list[Figure]:
    """The same send twice: alone, and beside open pages that ask every two seconds."""
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        scene.have_workers(1)
        with _pages(scene) as web:
            alone = _pace(_finish(scene, scene.send()))
            sent = scene.send()
            cpu = web.cpu_seconds()
            with _viewers(scene, web, sent, viewers) as readers:
                clocks = _finish(scene, sent)
            cpu = web.cpu_seconds() - cpu
    polls = [seconds for reader in readers for seconds in reader.seconds]
    here, name = place.vendor, f"send beside {viewers} people on the progress page"
    return [
        Figure(f"{name}: pace", here, _pace(clocks), "calls/s", TARGET, at_least=True,
               beside=PACE, remark=f"alone {alone:.1f}"),
        Figure(f"{name}: most calls in a second", here, most_in_a_second(clocks),
               "calls", LIMIT, beside=LIMIT),
        Figure(f"{name}: a poll, p95", here, quantile(polls, 0.95), "s", 0.5,
               remark=f"{len(polls)} polls"),
        Figure(f"{name}: CPU of the pages", here, cpu / len(polls) * 1000,
               "ms per poll", 15, remark="the whole request, without PostgreSQL's"),
    ]  # fmt: skip


def everything(
    place: Place, *, groups: int = 100_000, viewers: int = 50
) -> list[Figure]:
    """A send beside open pages, a sync of all groups, and exports, all at once."""
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        scene.have_workers(1)
        with _pages(scene) as web:
            sent = scene.send()
            sync = scene.order("sync")
            with (
                _viewers(scene, web, sent, viewers) as readers,
                _Exporter(web.addresses[0], scene.order("session_key")) as exporter,
            ):
                clocks = _finish(scene, sent)
            wait_sync_end(scene, sync)
            memory = _peak_mb(scene.workers[0].pid)
    polls = [seconds for reader in readers for seconds in reader.seconds]
    here = place.vendor
    name = f"send of {groups:,} beside {viewers} people, a sync and exports"
    return [
        Figure(f"{name}: pace", here, _pace(clocks), "calls/s", TARGET, at_least=True,
               beside=PACE, remark=f"{exporter.exports} exports"),
        Figure(f"{name}: most calls in a second", here, most_in_a_second(clocks),
               "calls", LIMIT, beside=LIMIT),
        Figure(f"{name}: a poll, p95", here, quantile(polls, 0.95), "s", 1,
               remark=f"{len(polls)} polls"),
        Figure(f"{name}: memory of the worker, most", here, memory, "MB", 200),
    ]  # fmt: skip


class _Web:
    """Two instances of the pages with the deployed configuration, without a proxy."""

    def __init__(self, scene: BenchmarkScene) -> None:
        ports = [free_port(), free_port()]
        self.addresses = [f"http://127.0.0.1:{port}" for port in ports]
        self.processes = [
            Process(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "--config",
                    "deploy/gunicorn.conf.py",
                ],
                scene.env | {"WEB_BIND": f"127.0.0.1:{port}"},
                scene.log_file("web"),
            )
            for port in ports
        ]

    def cpu_seconds(self) -> float:
        """Of the processes that answer, since their start."""
        total = 0
        for process in self.processes:
            pid = process.pid
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2]
                total += sum(map(int, fields.split()[11:13]))
        return total / TICKS


@contextmanager
def _pages(scene: BenchmarkScene) -> Iterator[_Web]:
    manage(scene.env, "collectstatic", "--no-input", "--verbosity=0")
    web = _Web(scene)
    try:
        key = scene.order("session_key")
        for address in web.addresses:
            wait_for(lambda address=address: responds(address), "gunicorn")
            with Reader(address, key, ["/"]):
                time.sleep(1)  # until both processes have loaded everything
        yield web
    finally:
        for process in web.processes:
            process.popen.terminate()
        for process in web.processes:
            process.wait()


@contextmanager
def _viewers(
    scene: BenchmarkScene, web: _Web, sent: Sent, count: int
) -> Iterator[list[Reader]]:
    """People who opened the page at different times; half of them at each instance."""
    key, page = scene.order("session_key"), f"/sent/{sent.notification}/status/"
    with ExitStack() as stack:
        readers = []
        for n in range(count):
            address = web.addresses[n % 2]
            reader = Reader(address, key, [page], pause=POLL_SECONDS)
            readers.append(stack.enter_context(reader))
            time.sleep(POLL_SECONDS / count)
        yield readers


class _Exporter:
    """A person who downloads all deliveries again and again."""

    def __init__(self, address: str, session_key: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set("sessionid", session_key)
        self.exports = 0
        self.failure: Exception | None = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self.exports or not self.stopping.wait(EXPORT_SECONDS):
                self._export()
        except Exception as failure:  # noqa: BLE001  raised where it is waited for
            self.failure = failure

    def _export(self) -> None:
        url = f"{self.address}/history/deliveries/"
        page = self.session.get(url, timeout=60)
        (token,) = set(re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[:1])
        form = {"format": "csv", "csrfmiddlewaretoken": token}
        with self.session.post(
            f"{url}download/", form, stream=True, timeout=300
        ) as answer:
            if answer.status_code != 200:
                raise RuntimeError(f"export: HTTP {answer.status_code}")
            for _piece in answer.iter_content(1 << 16):
                pass
        self.exports += 1

    def __enter__(self) -> "_Exporter":
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self.stopping.set()
        self.thread.join()
        if self.failure and kind is None:
            raise self.failure


def _finish(scene: BenchmarkScene, sent: Sent) -> list[float]:
    """Wait for the end; monotonic seconds of each call. Every group is called once."""

    def has_ended() -> bool:
        time.sleep(1)  # a query takes CPU time that is measured
        state = scene.order("state", notifications=[sent.notification])
        if state["paused"]:
            raise RuntimeError(f"“{sent.content}” was paused.")
        return not state["open"] and not state["unended"]

    groups = len(scene.groups)
    wait_for(has_ended, f"the end of “{sent.content}”", 120 + groups / 50)
    clocks = [clock for _unix, clock in scene.received()]
    if len(clocks) != groups:
        raise RuntimeError(f"{len(clocks)} calls for {groups} groups.")
    return clocks


def _pace(clocks: list[float]) -> float:
    return (len(clocks) - 1) / (max(clocks) - min(clocks))


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
