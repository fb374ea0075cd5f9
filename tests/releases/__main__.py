"""Write the dumps of this version: ``.ci/postgres python -m tests.releases``.

For the commit of a release. Later commits change neither its dumps nor its migrations.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from tests.environment import ROOT

os.environ["DJANGO_SETTINGS_MODULE"] = "notifier_site.settings"
django.setup()

from django.test import override_settings

from notifications import __version__
from notifications.record.queries import newest_seal
from tests.releases import dumps, kinds, scene

MIGRATIONS = ROOT / "notifications" / "migrations"


def main() -> None:
    if sys.argv[1:]:
        dump(Path(sys.argv[1]))
        return
    if connection.vendor != "postgresql":
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as home:
        urls = {
            "sqlite": f"sqlite:///{home}/db",
            "postgresql": os.environ["DATABASE_URL"],
        }
        for vendor, url in urls.items():
            Path(home, vendor, "archive").mkdir(parents=True)
            subprocess.run(  # noqa: S603  our own code
                [sys.executable, "-m", "tests.releases", str(Path(home, vendor))],
                env=os.environ | {"DATABASE_URL": url},
                cwd=ROOT,
                check=True,
            )
        store(*(Path(home, vendor) for vendor in urls))


def dump(folder: Path) -> None:
    """Fill the empty database of ``DATABASE_URL`` and dump it."""
    with override_settings(SECRET_KEY=scene.SECRET_KEY), scene.nothing_by_chance():
        call_command("migrate", verbosity=0)
        scene.fill(folder / "archive")
    if missing := kinds.missing_kinds():
        sys.exit("No row has\n" + "\n".join(missing))
    seal = newest_seal()
    assert seal is not None
    (folder / "head").write_text(f"{seal.head}\n")
    connection.close()
    dumps.write(connection.vendor, connection.settings_dict, folder)


def store(sqlite: Path, postgresql: Path) -> None:
    """Both databases must give the same seals and archives, byte by byte."""
    for path in [sqlite / "head", *(sqlite / "archive").iterdir()]:
        if path.read_bytes() != (postgresql / path.relative_to(sqlite)).read_bytes():
            sys.exit(f"{path.name} differs between SQLite and PostgreSQL.")
    folder = dumps.FOLDER / __version__
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sqlite, folder)
    shutil.copy(postgresql / "postgresql.sql.gz", folder)
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(MIGRATIONS.glob("0*.py"))
    )
    (folder / "migrations").write_text("".join(lines))
    for path in sorted(folder.rglob("*")):
        sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size}\n")


if __name__ == "__main__":
    main()
