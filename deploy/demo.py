"""``make demo``: the console, a worker and a sandbox on this machine, until Ctrl-C.

All data is in ``var/demo``, which a second run reuses.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "demo"
GROUPS = ROOT / "notifications" / "sandbox" / "groups.csv"
DATABASE = HOME / "notifier.sqlite3"
PASSWORD = "correct horse battery"  # noqa: S105  of a demo on this machine
PEOPLE = [
    ("lin.mei", "community manager: writes and sends"),
    ("wang.fang", "auditor: reads and downloads the history"),
    ("admin", "administrator: may do everything"),
]
# The faults of the demo, by the index of the group in the list.
FAULTS = {
    3: "code:10010",
    11: "code_times:60007:1",
    19: "reset_after",
    27: "code:10007",
    33: "slow:4000",
    38: "no_answer",
}
# Seconds; a timer verifies in production: docs/operating.md. The first time follows
# the sealing of the demo's history.
FIRST_VERIFICATION, VERIFY_EVERY = 10.0, 3600.0


def free_port(preferred: int) -> int:
    """``preferred``, or any free port if it is in use."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("No port is free on this machine.")


def environment(web: int, sandbox: int) -> dict[str, str]:
    HOME.mkdir(parents=True, exist_ok=True)
    secrets_file = HOME / "secrets.json"
    if not secrets_file.exists():
        made = {n: secrets.token_urlsafe(50) for n in ("SECRET_KEY", "IM_SECRET_KEY")}
        secrets_file.write_text(json.dumps(made))
        secrets_file.chmod(0o600)
    return os.environ | {
        **json.loads(secrets_file.read_text()),
        "STATE_DIR": str(HOME),
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "DEBUG": "off",
        # A line per request would hide the instructions.
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "USE_HTTPS": "off",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WEB_BIND": f"127.0.0.1:{web}",
        "WEB_CONCURRENCY": "1",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{web}",
        "IM_SDK_APP_ID": "1400000000",
        "IM_BASE_URL": f"http://127.0.0.1:{sandbox}",
    }


def groups_with_faults() -> Path:
    lines = GROUPS.read_text("utf-8").splitlines()
    rows = [f"{line},{FAULTS.get(n, '')}" for n, line in enumerate(lines[1:])]
    path = HOME / "groups.csv"
    path.write_text("\n".join([lines[0] + ",fault", *rows]) + "\n", "utf-8")
    return path


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _n in range(200):
        if process.poll() is not None:
            raise SystemExit("A part of the demo did not start; see above.")
        try:
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310  our own
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{address} did not answer.")


def main() -> None:
    os.chdir(ROOT)
    web, sandbox = free_port(8000), free_port(8010)
    env = environment(web, sandbox)
    manage = [sys.executable, "manage.py"]
    is_new = not DATABASE.exists()

    def run(*arguments: str) -> None:
        subprocess.run([*manage, *arguments], env=env, check=True)  # noqa: S603  our own

    run("migrate", "--verbosity", "0")
    run("collectstatic", "--no-input", "--verbosity", "0")
    if is_new:
        run("fill_demo", "--groups", str(GROUPS), "--password", PASSWORD)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    commands = [
        [*manage, "im_sandbox", "--port", str(sandbox), "--latency-ms", "80",
         "--jitter-ms", "40", "--groups", str(groups_with_faults())],
        [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py",
         "--log-level", "warning"],
        [*manage, "send_worker"],
    ]  # fmt: skip
    # A new session: Ctrl-C reaches them once, through this process.
    parts = [
        subprocess.Popen(command, env=env, start_new_session=True)  # noqa: S603  our own
        for command in commands
    ]
    try:
        wait_for(f"http://127.0.0.1:{sandbox}/", parts[0])
        wait_for(f"http://127.0.0.1:{web}/login/", parts[1])
        logins = [f"    {name:<12}{role}" for name, role in PEOPLE]
        sys.stdout.write(
            f"\nNotifier is ready:  http://127.0.0.1:{web}/\n\n"
            "Log in as\n" + "\n".join(logins) + "\n"
            f"with the password\n    {PASSWORD}\n\n"
            f"What members would see:  http://127.0.0.1:{sandbox}/\n"
            f"{len(FAULTS)} groups have a fault there, so that something goes wrong.\n\n"
            "Ctrl-C ends it. The next run finds the same data.\n"
        )
        sys.stdout.flush()
        due = time.monotonic() + FIRST_VERIFICATION
        while not stop.wait(0.5) and all(part.poll() is None for part in parts):
            if time.monotonic() >= due:
                due += VERIFY_EVERY
                subprocess.run([*manage, "verify_history"], env=env, check=False)  # noqa: S603  our own
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(timeout=30)


if __name__ == "__main__":
    main()
