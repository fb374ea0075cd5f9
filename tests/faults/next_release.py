"""The next release for the rolling upgrade: this one plus an additive migration."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests.environment import ROOT
from tests.faults.places import MANAGE

PARTS = ["deploy", "manage.py", "notifications", "notifier_site", "templates"]
# A column that may be empty and one that the database fills, in the tables of a send.
ADDED = {
    "notifications.py": "Notification.add_to_class('added', models.TextField(null=True))",
    "deliveries.py": "Delivery.add_to_class('added', models.IntegerField(db_default=7))",
}
# As in docs/deploy.md: retry later instead of blocking all other sessions.
PATIENCE = {"PGOPTIONS": "-c lock_timeout=4s"}


class NextRelease:
    """Its folder, and what differs for its processes."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.variables = {
            "PYTHONPATH": str(folder),
            "STATIC_ROOT": str(folder / "static"),
        }
        self.place: dict[str, Any] = {"cwd": folder}
        self._env = env | self.variables

    def make(self) -> None:
        self.folder.mkdir()
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.folder / part)
        # One table per migration: with two, it and a worker could deadlock.
        for name, line in ADDED.items():
            with (self.folder / "notifications" / "models" / name).open("a") as file:
                file.write(f"\n\n{line}\n")
            self._run("makemigrations", "notifications", "--verbosity=0")
        # A changed style sheet, so that its hashed name differs.
        sheet = self.folder / "notifications/static/notifications/ui/tokens.css"
        with sheet.open("a") as file:
            file.write("\n/* the next release */\n")
        self._run("collectstatic", "--no-input", "--verbosity=0")
        # cp -rn: open pages of the older release still get their style sheets.
        older = Path(self._env["STATE_DIR"], "static")
        for path in older.rglob("*.css"):
            kept = self.folder / "static" / path.relative_to(older)
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)

    def migrate_in_vain(self) -> None:
        """Migrate while a long query reads the table: the migration gives up, and other
        sessions wait no longer than its lock timeout."""
        with psycopg.connect(self._env["DATABASE_URL"]) as reader:
            reader.execute("SELECT count(*) FROM notifications_delivery")
            process = self._start("migrate", "--verbosity=0")
            _out, error = process.communicate()
        if process.returncode == 0 or "lock timeout" not in error:
            raise AssertionError(f"migrate did not give up: {error[-500:]}")

    def migrate(self) -> None:
        self._run("migrate", "--verbosity=0")

    def _run(self, *arguments: str) -> None:
        process = self._start(*arguments)
        _out, error = process.communicate()
        if process.returncode:
            raise AssertionError(f"{arguments[0]}: {error[-1000:]}")

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  our own command
            [*MANAGE, *arguments],
            cwd=self.folder,
            env=os.environ | self._env | PATIENCE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
