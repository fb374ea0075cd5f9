"""Check the database for what the engine's guarantees need: commits and sessions.

With ``synchronous=NORMAL`` a claim could be undone after the call was made, and the
group would be called twice (measured; see docs/architecture.md).
"""

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_FULL = 2


def durability_problem() -> str:
    """Return one sentence on what must be changed, or an empty string."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            (level,) = cursor.fetchone()
            if level < SQLITE_FULL:
                return (
                    f"SQLite runs with synchronous={level}: a group could be called "
                    "twice after a power cut. Set it to FULL."
                )
            return ""
        cursor.execute("SHOW synchronous_commit")
        (value,) = cursor.fetchone()
    if value == "off":
        return (
            f"PostgreSQL runs with synchronous_commit={value}: a group could be called "
            "twice after a crash. Set it to on."
        )
    return ""


# A pool may by chance give two clients different sessions once.
POOL_PROBES = 3


def pooling_problem() -> str:
    """Return one sentence if a pool changes the sessions of PostgreSQL, or an empty string.

    A pool like PgBouncer with ``pool_mode=transaction`` gives each transaction any idle
    session: the lock, the time limits and the wake-up channel of a worker would be lost.
    While a second client holds a transaction, the session of the first one has changed or
    is in use by the second one. Call it outside of a transaction.
    """
    if connection.vendor != "postgresql":
        return ""
    second = connection.copy()
    try:
        second.set_autocommit(False)
        for _n in range(POOL_PROBES):
            before = _backend(connection)
            # The order matters: with a single session in the pool, the third would wait.
            is_shared = _backend(second) == before or _backend(connection) != before
            second.rollback()
            if is_shared:
                return (
                    "A pool between this process and PostgreSQL changes the session with "
                    "every transaction: a worker would lose its lock and its time limits."
                )
    finally:
        second.close()
    return ""


def _backend(database: BaseDatabaseWrapper) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone()
    return int(number)
