"""The environment that the settings read, and folders of the project."""

from pathlib import Path

from notifier_site.variables import Variables

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = Variables()
env.read_env(BASE_DIR / ".env")

# The worker's files outside the database, and the default database.
STATE_DIR: Path = env.folder("STATE_DIR", default=BASE_DIR / "var")
