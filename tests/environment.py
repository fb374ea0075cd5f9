"""The environment variables of the tests, set before Django reads the settings.

Loaded by ``-p tests.environment`` in pyproject.toml. Tests ignore a developer's
``.env`` and the variables of the shell, except ``DATABASE_URL``, which selects the
database server. Without it, tests run on an SQLite file.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

from notifier_site.variables import Variables

ROOT = Path(__file__).resolve().parent.parent

# The sample account of Tencent's public READMEs, which is not a real application.
SDK_APP_ID = 1400000000
SECRET_KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"

STATE_DIR = Path(tempfile.mkdtemp(prefix="notifier-tests-"))
atexit.register(shutil.rmtree, STATE_DIR, ignore_errors=True)

VARIABLES = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDE",
    "USE_HTTPS": "off",
    "STATE_DIR": str(STATE_DIR),
    "DATABASE_URL": f"sqlite:///{STATE_DIR / 'notifier.sqlite3'}",
    "IM_SDK_APP_ID": str(SDK_APP_ID),
    "IM_SECRET_KEY": SECRET_KEY,
    # A closed port: a test without the sandbox fixture fails at once.
    "IM_BASE_URL": "http://127.0.0.1:9",
    # Workers request no sync unless a test does.
    "IM_SYNC_EVERY_HOURS": "0",
    # Playwright runs an event loop in the main thread, in which Django's ORM would
    # refuse to run, although no test is asynchronous.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}


READ_ENV = Variables.read_env  # for its own tests


def names_of_settings() -> list[str]:
    """The variables that the settings read; for identity providers, those of ``corp``."""
    files = sorted((ROOT / "notifier_site" / "settings").glob("*.py"))
    source = "".join(path.read_text() for path in files)
    names = re.findall(r'\benv\.\w+\(\s*f?"([\w{}]+)"', source)
    return [name.replace("{prefix}", "OIDC_CORP") for name in dict.fromkeys(names)]


def _set_variables() -> None:
    database_url = os.environ.get("DATABASE_URL")
    for name in names_of_settings():
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(VARIABLES)
    if database_url:
        os.environ["DATABASE_URL"] = database_url
    Variables.read_env = lambda *_args: None  # type: ignore[method-assign]


_set_variables()
