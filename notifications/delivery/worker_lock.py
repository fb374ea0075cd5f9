"""The worker's database session on PostgreSQL: its lock, and waking it.

A process that died, or a machine that was cut off, may leave a server process behind
that still commits its last claim. So a worker holds an advisory lock for as long as its
session lives, and whoever declares it dead ends that session and takes the lock first:
after that no commit of the dead worker can come any more. On SQLite a process and its
session end together, and there is nothing to do.

The worker needs a direct connection: a pool that gives each transaction another
session would lose the lock.
"""

import time

from django.db import connection

from notifications.models.workers import WAKE_CHANNEL

# The first half of the two numbers that name a lock; the second is the worker's.
NAMESPACE = 1_231_975

# Longer than anything that a tick does, shorter than the lease: a worker that hangs
# learns of it before the others declare it dead.
STATEMENT_TIMEOUT = "8s"

SETTINGS = {
    "statement_timeout": STATEMENT_TIMEOUT,
    # The server notices within about 10 s that a worker's machine has gone.
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}


def acquire(worker_id: int) -> None:
    """Prepare this session for a worker: its lock, its time limits, its wake-up call.

    After a reconnect a former session of the same worker may still be there: it is
    ended first.
    """
    if connection.vendor != "postgresql":
        return
    _end_holder(worker_id)
    with connection.cursor() as cursor:
        for name, value in SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [NAMESPACE, worker_id])
        cursor.execute(f"LISTEN {WAKE_CHANNEL}")


def release() -> None:
    """Give back all that ``hold`` took."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
            cursor.execute("UNLISTEN *")
            for name in SETTINGS:
                cursor.execute(f"RESET {name}")


def fence_off(worker_id: int) -> bool:
    """Make sure that a dead worker's session cannot commit any more.

    Call it inside a transaction, which keeps the lock to its end. ``False``: the
    session is still ending; ask again a second later.
    """
    if connection.vendor != "postgresql":
        return True
    _end_holder(worker_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, %s)", [NAMESPACE, worker_id]
        )
        (taken,) = cursor.fetchone()
    return bool(taken)


def wait_for_work(seconds: float) -> None:
    """Wait; on PostgreSQL only until somebody says that there is work."""
    raw = connection.connection if connection.vendor == "postgresql" else None
    if raw is None:
        time.sleep(seconds)
        return
    # A lost server is a DatabaseError here as everywhere else.
    with connection.wrap_database_errors:
        for _notice in raw.notifies(timeout=seconds, stop_after=1):
            pass


def _end_holder(worker_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database()) "
            "AND classid = %s AND objid = %s AND objsubid = 2",
            [NAMESPACE, worker_id],
        )
