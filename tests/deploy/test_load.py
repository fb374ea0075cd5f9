"""The console in gunicorn, with the deployed configuration, under hostile load."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from notifications import permissions
from notifications.models import AuditEntry, ChatGroup, SendingSwitch
from tests.deploy.test_gunicorn import CONFIG, the_rest
from tests.environment import ROOT
from tests.factories import make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

TOKEN = "t" * 32
LARGE = 10_800_000  # bytes


class Console:
    """One process of the pages; ``pid`` is that of its worker process."""

    def __init__(self, port: int, main: int) -> None:
        self.port = port
        self.session_keys: dict[User, str] = {}
        (self.pid,) = Path(f"/proc/{main}/task/{main}/children").read_text().split()

    def memory(self) -> float:
        """The largest memory since the last call, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return int(peak.split()[1]) / 1024

    def open(self, method: str, path: str, user: User | None = None, body: bytes = b"",
             **headers: str) -> socket.socket:  # fmt: skip
        """Send a request and return its connection, whose buffer is small."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", self.port))
        cookies = [f"{settings.CSRF_COOKIE_NAME}={TOKEN}"]
        if user is not None:
            cookies.append(f"{settings.SESSION_COOKIE_NAME}={self.session_key(user)}")
        lines = {"Host": "127.0.0.1", "Cookie": "; ".join(cookies)} | headers
        if method == "POST":
            lines.setdefault("Content-Type", "application/x-www-form-urlencoded")
            if "Transfer-Encoding" not in lines:
                lines.setdefault("Content-Length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return connection

    def session_key(self, user: User) -> str:
        if user not in self.session_keys:
            client = Client()
            client.force_login(user)
            key = client.cookies[settings.SESSION_COOKIE_NAME].value
            self.session_keys[user] = key
        return self.session_keys[user]

    def ask(self, *args, **kwargs) -> int:
        with self.open(*args, **kwargs) as connection:
            return status_of(connection)


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(12).split()[1])


@pytest.fixture
def console(process_env, tmp_path) -> Iterator[Console]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = process_env | {
        "WEB_BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
        "DJANGO_SETTINGS_MODULE": "notifier_site.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(CONFIG)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=log)  # noqa: S603  our own code
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                started = Console(port, process.pid)
                assert started.ask("GET", "/healthz") == 200
                break
            except (ConnectionError, ValueError):
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.1)
        yield started
    finally:
        process.kill()
        process.wait()


def send_on(connection: socket.socket, piece: bytes, times: int) -> None:
    """Send what a server that refused the request does not read."""
    try:
        for _n in range(times):
            connection.sendall(piece)
    except OSError:
        pass


def test_a_large_body_without_a_login_takes_no_memory(console):
    """Each took 895 MB: a field of three million escaped characters."""
    for _n in range(5):
        assert console.ask("GET", "/login/") == 200
        assert console.ask("POST", "/login/", body=b"username=x") == 403  # no token
    piece = b"%41" * 20_000
    before = console.memory()

    def attack(path: str, **headers: str) -> None:
        with console.open("POST", path, **headers) as connection:
            if "Content-Length" in headers and headers["Content-Length"] == str(LARGE):
                assert status_of(connection) == 413
            send_on(connection, piece, LARGE // len(piece))

    def chunked(path: str) -> None:
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
        header = {"Transfer-Encoding": "chunked"}
        with console.open("POST", path, **header) as connection:
            send_on(connection, chunk, LARGE // len(piece))

    for path in ("/login/", "/write/", "/groups/import/"):
        attacks = [
            threading.Thread(target=attack, args=[path], kwargs={"Content-Length": n})
            for n in [str(LARGE)] * 4 + ["9"]
        ]
        attacks.append(threading.Thread(target=chunked, args=[path]))
        for thread in attacks:
            thread.start()
        for thread in attacks:
            thread.join()

    assert console.ask("GET", "/healthz") == 200
    assert console.memory() - before <= 5


def test_stop_all_answers_beside_unread_downloads(console):
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"@TGS#{n:06d}", name="直播间" * 30, type="Public")
        for n in range(30_000)
    )
    auditors = [make_user(permissions.AUDITOR, username=f"a{n}") for n in range(10)]
    manager = make_user(permissions.COMMUNITY_MANAGER)
    token = f"csrfmiddlewaretoken={TOKEN}".encode()
    one = auditors[0]

    console.ask("GET", "/", manager)  # not measured: the templates are loaded
    unread = [
        console.open("POST", "/groups/download/", auditor, token + b"&format=csv")
        for auditor in [one, one, *auditors]
    ]
    answers = [status_of(connection) for connection in unread]
    began = time.monotonic()
    healthy = console.ask("GET", "/healthz")
    health_seconds = time.monotonic() - began
    began = time.monotonic()
    stopped = console.ask("POST", "/sending/", manager, token + b"&turn=off")
    stop_seconds = time.monotonic() - began

    assert sorted(answers) == [200, 200] + [429] * 10
    assert answers[0:3].count(200) == 1  # of the same person
    assert (healthy, stopped) == (200, 302)
    assert SendingSwitch.objects.get().is_off
    assert max(health_seconds, stop_seconds) < 1

    for connection in unread:
        connection.close()
    deadline = time.monotonic() + 20
    while AuditEntry.objects.filter(action="export_ended").count() < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with console.open("POST", "/groups/download/", one, token) as again:
        assert "直播间" in the_rest(again).decode()
