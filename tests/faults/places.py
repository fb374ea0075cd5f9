"""The database of a scene: a file, or a private PostgreSQL server.

The server is private because faults restart it. Each place creates the tables once and
returns copies.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.environment import ROOT, VARIABLES
from tests.faults.machine import Clock, build

MANAGE = [sys.executable, "manage.py"]
# The scene must not inherit these from the harness: killed processes report no
# coverage, and a developer's .env or shell must not have an effect.
NOT_INHERITED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
SETTINGS = {
    **VARIABLES,
    "DEBUG": "off",
    "IM_ADMIN_ACCOUNT": "administrator",
    "IM_PROXY_URL": "",
    "IM_CA_FILE": "",
    "IM_CALLS_PER_SECOND": "200",
    "IM_RETRY_INTERNAL_ERROR": "on",
    "IM_CONNECT_TIMEOUT": "3.05",
    "IM_READ_TIMEOUT": "10",
    "IM_DEFAULT_CHANNEL": "system_notification",
    "IM_QUERY_AFTER_SECONDS": "30",
    "IM_QUERY_AGAIN_AFTER_SECONDS": "60",
    "IM_QUERY_GIVE_UP_HOURS": "24",
    "IM_HISTORY_DAYS": "7",
    "IM_REPEAT_LIVE_ROOMS": "off",
    "DJANGO_SETTINGS_MODULE": "notifier_site.settings",
    "PYTHONPATH": str(ROOT),
}


def environment(**settings: str) -> dict[str, str]:
    """The environment of a process of the console."""
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
    return inherited | SETTINGS | settings


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """Return the output of a command. Raises ``CalledProcessError``."""
    return subprocess.run(  # noqa: S603  our own command
        [*MANAGE, *arguments],
        cwd=ROOT,
        env=env,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SqlitePlace:
    vendor = "sqlite"
    folders: Sequence[Path] = ()  # of its own; a scene's database is in its folder

    def __init__(self, home: Path) -> None:
        self._template = home / "template.sqlite3"

    def start(self) -> None:
        with tempfile.TemporaryDirectory() as state:
            url = f"sqlite:///{self._template}"
            manage(
                environment(STATE_DIR=state, DATABASE_URL=url),
                "migrate",
                "--verbosity=0",
            )

    def fresh(self, folder: Path) -> str:
        """The URL of a new database, in ``folder``."""
        path = folder / "notifier.sqlite3"
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def back_up(self, env: Mapping[str, str], folder: Path) -> None:
        """As docs/backup.md says, while everything runs."""
        manage(env, "backup", "--to", str(folder))

    def put_back(self, env: Mapping[str, str], folder: Path) -> None:
        """As docs/backup.md says, with nothing running."""
        (digest,) = folder.glob("*.sha256")
        subprocess.run(  # noqa: S603  a constant command
            ["sha256sum", "--check", "--quiet", digest.name],  # noqa: S607  of the system
            cwd=folder,
            check=True,
        )
        path = Path(env["DATABASE_URL"].removeprefix("sqlite:///"))
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        shutil.copy(digest.with_suffix(""), path)

    def stop(self) -> None:
        self._template.unlink()


class PostgresPlace:
    vendor = "postgresql"

    def __init__(self, _home: Path) -> None:
        # Not below the harness's folder, which may be accessible to root only.
        self._home = Path(tempfile.mkdtemp(prefix="notifier-faults-", dir="/tmp"))
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._env: dict[str, str] = {}  # of the server's processes
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root; Debian's package created this user.
            person = pwd.getpwnam("postgres")
            os.chown(self._home, person.pw_uid, person.pw_gid)

    @property
    def folders(self) -> Sequence[Path]:
        """The files that the server writes: tables, WAL, log."""
        return [self._home]

    def start(self) -> None:
        data = str(self._home / "data")
        self._run(
            "initdb", "--pgdata", data, "--username=notifier", "--auth=trust",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self.clock = Clock(build(self._home), self._home / "clock")
        self._env = self.clock.variables
        self.go_on()
        self.execute("CREATE DATABASE template")
        with tempfile.TemporaryDirectory() as state:
            env = environment(STATE_DIR=state, DATABASE_URL=self._url("template"))
            manage(env, "migrate", "--verbosity=0")

    def fresh(self, _folder: Path) -> str:
        name = f"scene_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template")
        return self._url(name)

    def restart(self, mode: str) -> None:
        """``mode`` is ``fast`` (sessions are ended) or ``immediate`` (a crash)."""
        self._control("restart", "--mode", mode)

    def halt(self, mode: str) -> None:
        self._control("stop", "--mode", mode)

    def go_on(self) -> None:
        # fsync off: only processes crash here, never the machine. PostgreSQL still
        # writes the WAL and replays it after an immediate stop.
        options = (
            f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off"
        )
        self._control("start", "--options", options)

    def execute(
        self, sql: str, parameters: Sequence[Any] = (), *, url: str = ""
    ) -> None:
        with psycopg.connect(url or self._url("postgres"), autocommit=True) as session:
            session.execute(sql.encode(), parameters)

    def back_up(self, env: Mapping[str, str], folder: Path) -> None:
        """As docs/backup.md says, while everything runs."""
        self._tool(
            "pg_dump", "--format=custom", f"--file={folder / 'notifier.dump'}",
            env["DATABASE_URL"],
        )  # fmt: skip

    def put_back(self, env: Mapping[str, str], folder: Path) -> None:
        """As docs/backup.md says, with nothing running."""
        server = self._url("postgres")
        name = env["DATABASE_URL"].rpartition("/")[2]
        self._tool("dropdb", f"--maintenance-db={server}", name)
        self._tool("createdb", f"--maintenance-db={server}", name)
        self._tool(
            "pg_restore", "--exit-on-error", "--no-owner",
            f"--dbname={env['DATABASE_URL']}", str(folder / "notifier.dump"),
        )  # fmt: skip

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._control("stop", "--mode", "immediate")
        shutil.rmtree(self._home, ignore_errors=True)

    def _url(self, database: str) -> str:
        return f"postgres://notifier@127.0.0.1:{self.port}/{database}"

    def _control(self, *arguments: str) -> None:
        data, log = str(self._home / "data"), str(self._home / "log")
        self._run("pg_ctl", "--pgdata", data, "--wait", "--log", log, *arguments)

    def _tool(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603  PostgreSQL's own programs
            [str(_programs() / program), *arguments], check=True
        )

    def _run(self, program: str, *arguments: str) -> None:
        as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(  # noqa: S603  PostgreSQL's own programs
            [*as_server, str(_programs() / program), *arguments],
            cwd="/",
            env=os.environ | self._env,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def _programs() -> Path:
    """The folder of the newest PostgreSQL, as .ci/postgres finds it."""
    found = [
        path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
    ] or [Path(path).parent for path in [shutil.which("initdb")] if path]
    if not found:
        raise FileNotFoundError("PostgreSQL's initdb was not found.")
    return max(found, key=lambda path: [int(n) for n in path.parts if n.isdigit()])


Place = SqlitePlace | PostgresPlace
PLACES = {place.vendor: place for place in (SqlitePlace, PostgresPlace)}
