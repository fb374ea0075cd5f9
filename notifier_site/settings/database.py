"""The database: SQLite or PostgreSQL; commits survive a power cut."""

from typing import Any
from urllib.parse import quote

from notifier_site.variables import NO_DATABASE

from .environment import STATE_DIR, env

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        "DATABASE_URL",
        default=f"sqlite:///{quote(str(STATE_DIR / 'notifier.sqlite3'))}",
    )
}
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
