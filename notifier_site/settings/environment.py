"""Where the settings come from, and where the project lies."""

from pathlib import Path

from notifier_site.variables import Variables

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = Variables()
env.read_env(BASE_DIR / ".env")

# What the worker must remember beside the database, and the default database.
STATE_DIR: Path = env.folder("STATE_DIR", default=BASE_DIR / "var")
