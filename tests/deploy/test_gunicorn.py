"""How gunicorn stops with the deployed configuration."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.environment import ROOT

pytestmark = pytest.mark.one_database

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


@pytest.fixture
def server(tmp_path, port) -> Iterator[subprocess.Popen]:
    (tmp_path / "slow.py").write_text(APPLICATION)
    command = [sys.executable, "-m", "gunicorn", "slow:application",
               "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]  # fmt: skip
    env = os.environ | {"WEB_BIND": f"127.0.0.1:{port}", "PYTHONPATH": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=log)  # noqa: S603  our own code
    try:
        yield process
    finally:
        process.kill()
        process.wait()


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


def test_what_stands_behind_an_address_is_not_logged(server, port, tmp_path):
    with ask(port, "/broken?code=hush") as client:
        assert b"500 Internal Server Error" in the_rest(client)

    log = (tmp_path / "log").read_text()
    assert "Error handling request GET /broken\n" in log
    assert "hush" not in log


def test_a_number_that_is_none_is_named(port, tmp_path):
    command = [sys.executable, "-m", "gunicorn", "--check-config",
               "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]  # fmt: skip
    env = os.environ | {"WEB_THREADS": "many"}

    process = subprocess.run(  # noqa: S603  our own configuration
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert process.returncode == 1
    assert process.stderr == "WEB_THREADS is “many”. Use a whole number from 1.\n"
