"""How gunicorn stops with the deployed configuration."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.environment import ROOT

pytestmark = pytest.mark.one_database

CONFIG = ROOT / "deploy" / "gunicorn.conf.py"
SLOW_SECONDS = 2.0
# A small application instead of the console, which starts more slowly.
APPLICATION = f"""
import time

def application(environ, start_response):
    if "broken" in environ["PATH_INFO"]:
        raise RuntimeError("on purpose")
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun "
    time.sleep({SLOW_SECONDS})
    yield b"ended"
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    folder: Path, port: int, application: str = APPLICATION, config: Path = CONFIG
) -> Iterator[subprocess.Popen]:
    (folder / "slow.py").write_text(application)
    command = [sys.executable, "-m", "gunicorn", "slow:application",
               "--config", str(config)]  # fmt: skip
    env = os.environ | {"WEB_BIND": f"127.0.0.1:{port}", "PYTHONPATH": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stderr=log)  # noqa: S603  our own code
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def server(tmp_path, port) -> Iterator[subprocess.Popen]:
    with running(tmp_path, port) as process:
        yield process


def ask(port: int, path: str, seconds: float = 10) -> socket.socket:
    """Send a request as soon as the port is open."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return client


def the_rest(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(4096), b""))


def test_a_server_that_stops_finishes_its_answer_and_lets_nobody_in(server, port):
    with ask(port, "/slow") as client:
        begun = client.recv(4096)  # the answer is under way
        server.send_signal(signal.SIGTERM)
        while True:  # until it is refused; at the latest when the answer is written
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.02)
        answer = begun + the_rest(client)

    assert answer.endswith(b"begun ended")
    assert server.wait(timeout=10) == 0


def wait_for_log(folder: Path, text: str, count: int = 1) -> None:
    deadline = time.monotonic() + 30
    while (folder / "log").read_text().count(text) < count:
        assert time.monotonic() < deadline, f"“{text}” was never logged."
        time.sleep(0.01)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def stop(server: subprocess.Popen, port: int) -> float:
    """Return the seconds until the port is free and all processes have ended."""
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=60)
    assert not is_open(port)
    return time.monotonic() - began


def test_a_stop_during_the_import_ends_it_at_once(tmp_path, port):
    with running(tmp_path, port, "import time\ntime.sleep(30)\n") as server:
        wait_for_log(tmp_path, "Booting worker", 2)
        time.sleep(0.5)  # the import has begun

        assert stop(server, port) < 10


def test_a_stop_between_fork_and_handlers_is_not_lost(tmp_path, port):
    """gunicorn lost it, and held the port for 120 s."""
    config = tmp_path / "slow_fork.py"
    config.write_text(
        f"import time\n{CONFIG.read_text()}\n"
        "def post_fork(server, worker):\n    time.sleep(1)\n"
    )
    with running(tmp_path, port, config=config) as server:
        wait_for_log(tmp_path, "Booting worker", 2)

        assert stop(server, port) < 10


QUICK = """
import time
time.sleep(0.3)

def application(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"whole"]
"""


class Visitor(threading.Thread):
    """Makes one request after the other, and counts their results."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.leaving = threading.Event()
        self.results: Counter[str] = Counter()

    def run(self) -> None:
        while not self.leaving.wait(0.005):
            self.results[self.visit()] += 1

    def visit(self) -> str:
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 30) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = the_rest(client)
        except ConnectionRefusedError:
            return "refused"
        except ConnectionError:
            # Queued at a port whose processes had not loaded the application.
            was_served = self.results["answered"] > 0
            return "lost" if answer or was_served else "reset before the first answer"
        return "answered" if answer.endswith(b"whole") else "cut"


def test_32_restarts_under_load(tmp_path, port):
    """Each request is answered or refused, and each stop frees the port."""
    moments = random.Random(5)
    total: Counter[str] = Counter()
    for n in range(32):
        with running(tmp_path, port, QUICK) as server:
            visitors = [Visitor(port) for _n in range(3)]
            for visitor in visitors:
                visitor.start()
            if n % 2:  # stop while it serves, else during its start
                while not any(visitor.results["answered"] for visitor in visitors):
                    time.sleep(0.01)
            time.sleep(moments.uniform(0, 1))
            assert stop(server, port) < 10
            for visitor in visitors:
                visitor.leaving.set()
                visitor.join()
                total += visitor.results

    assert total["answered"] >= 16
    assert total["refused"] > 100
    assert total["lost"] == total["cut"] == 0


def test_what_stands_behind_an_address_is_not_logged(server, port, tmp_path):
    with ask(port, "/broken?code=hush") as client:
        assert b"500 Internal Server Error" in the_rest(client)

    log = (tmp_path / "log").read_text()
    assert "Error handling request GET /broken\n" in log
    assert "hush" not in log


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WEB_THREADS", "many", "WEB_THREADS is “many”. Use a whole number from 4.\n"),
        ("WEB_THREADS", "3", "WEB_THREADS is “3”. Use a whole number from 4.\n"),
        ("WEB_BIND", "[::1]:99999", "WEB_BIND is “[::1]:99999”. Use ADDRESS:PORT.\n"),
        ("WEB_BIND", "127.0.0.1", "WEB_BIND is “127.0.0.1”. Use ADDRESS:PORT.\n"),
    ],
)
def test_a_value_that_is_none_is_named(name, value, sentence):
    command = [sys.executable, "-m", "gunicorn", "--check-config",
               "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]  # fmt: skip
    env = os.environ | {name: value}

    process = subprocess.run(  # noqa: S603  our own configuration
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert process.returncode == 1
    assert process.stderr == sentence


def test_clients_that_do_not_close_hold_up_no_others(tmp_path, port):
    """Each cost all others 2 s."""
    with running(tmp_path, port, QUICK):
        with ask(port, "/") as client:  # it has started
            the_rest(client)
        left_open = [ask(port, "/") for _n in range(10)]
        began = time.monotonic()
        with ask(port, "/") as client:
            assert the_rest(client).endswith(b"whole")
        seconds = time.monotonic() - began
        for connection in left_open:
            connection.close()

    assert seconds < 2


AMBIGUOUS = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5, 6",
    "Content-Length: +5",
    "Content-Length: 0x5",
    "Content-Length : 5",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: xchunked",
    "X: y\r\n Transfer-Encoding: chunked",
    "X: a\0b",
    "X: a\rContent-Length: 5",
]


def test_a_request_with_two_readings_is_refused(tmp_path, port):
    """Otherwise the proxy and gunicorn could read two different requests."""
    answers = {}
    with running(tmp_path, port, QUICK):
        with ask(port, "/") as client:  # it has started
            the_rest(client)
        for headers in ["Content-Length: 5", *AMBIGUOUS]:
            text = f"POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n0\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(text.encode())
                answers[headers] = the_rest(client)[9:12]

    assert answers.pop("Content-Length: 5") == b"200"
    assert set(answers.values()) <= {b"400", b"501"}, answers


ENDLESS = """
import pathlib

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Pieces()

class Pieces:
    def __iter__(self):
        while True:
            yield b"x" * 100_000

    def close(self):
        pathlib.Path("closed").touch()
"""


def test_a_client_that_reads_nothing_is_disconnected(tmp_path, port):
    config = tmp_path / "impatient.py"
    config.write_text(
        CONFIG.read_text().replace("UNREAD_SECONDS = 60", "UNREAD_SECONDS = 1")
    )
    with running(tmp_path, port, ENDLESS, config=config), ask(port, "/"):
        deadline = time.monotonic() + 20
        while not (tmp_path / "closed").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
