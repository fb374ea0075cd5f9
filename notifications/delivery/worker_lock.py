"""The worker's database session on PostgreSQL: its lock and its wake-up channel.

A process that died or lost its network may leave a server process that still commits its
last claim. So a worker holds an advisory lock as long as its session lives. Before
another worker declares it dead, it ends that session and takes the lock: afterwards the
dead worker cannot commit. On SQLite a session ends with its process, and these functions
do nothing.

The worker needs a direct connection: a pool that assigns sessions per transaction would
lose the lock.
"""

import time

from django.db import connection

from notifications.models.workers import WAKE_CHANNEL

# The first key of the advisory lock; the second is the worker's id.
NAMESPACE = 1_231_975

# Longer than a tick, shorter than the lease: a worker that hangs gets an error before the
# others declare it dead.
STATEMENT_TIMEOUT = "8s"

SETTINGS = {
    "statement_timeout": STATEMENT_TIMEOUT,
    # The server detects within about 10 s that it lost a worker's machine.
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}


def acquire(worker_id: int) -> None:
    """Set up this session for a worker: its lock, time limits and wake-up channel.

    Ends an earlier session of the same worker first, which may exist after a reconnect.
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
    """Undo ``acquire``."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
            cursor.execute("UNLISTEN *")
            for name in SETTINGS:
                cursor.execute(f"RESET {name}")


def fence_off(worker_id: int) -> bool:
    """Ensure that a dead worker's session cannot commit any more.

    Call it inside a transaction, which holds the lock until its end. Returns ``False``
    while the session is still ending; call it again a second later.
    """
    if connection.vendor != "postgresql":
        return True
    _end_holder(worker_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, %s)", [NAMESPACE, worker_id]
        )
        (is_locked,) = cursor.fetchone()
    return bool(is_locked)


def wait_for_work(seconds: float) -> None:
    """Wait; on PostgreSQL only until a notice announces work."""
    driver_connection = (
        connection.connection if connection.vendor == "postgresql" else None
    )
    if driver_connection is None:
        time.sleep(seconds)
        return
    # Raise the exceptions of Django, as other queries do.
    with connection.wrap_database_errors:
        for _notice in driver_connection.notifies(timeout=seconds, stop_after=1):
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
