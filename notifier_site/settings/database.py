"""The database: SQLite or PostgreSQL; commits survive a power cut.

On PostgreSQL, ``DATABASE_OWNER_URL`` is the role that owns the tables. Only the commands
that need it use it; all others connect as the role of ``DATABASE_URL``.
"""

import os
import pwd
import sys
from typing import Any
from urllib.parse import quote

from notifier_site.variables import NO_DATABASE

from .environment import STATE_DIR, env

POSTGRESQL = "django.db.backends.postgresql"

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        "DATABASE_URL",
        default=f"sqlite:///{quote(str(STATE_DIR / 'notifier.sqlite3'))}",
    )
}
_has_owner = bool(env.secret("DATABASE_OWNER_URL"))
# The role that gets its privileges from ``migrate``. Without a name in the URL, libpq takes
# that of the user of this process.
APPLICATION_ROLE = ""
if _has_owner and DATABASES["default"]["ENGINE"] == POSTGRESQL:
    APPLICATION_ROLE = (
        DATABASES["default"]["USER"]
        or os.environ.get("PGUSER")
        or pwd.getpwuid(os.geteuid()).pw_name
    )
# These change tables or remove rows of the record.
CONNECTS_AS_OWNER = bool(APPLICATION_ROLE) and sys.argv[1:2] in (
    ["migrate"],
    ["archive_history"],
)
if CONNECTS_AS_OWNER:
    DATABASES["default"] = env.database("DATABASE_OWNER_URL", default="")

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A power cut must not undo a claim: with NORMAL, groups received a message twice.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        # Take the write lock at BEGIN, so that two writers wait instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
    }
elif DATABASES["default"] != NO_DATABASE:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A lost network is an error within 10 s, and a connection is there again within 5 s
    # of its return: the lease of a worker is longer. libpq waits for minutes.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 4,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 8000,  # ms
    } | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
