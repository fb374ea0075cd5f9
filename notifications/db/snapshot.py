"""One snapshot of the database for a reader that needs several queries.

Without it, a commit between two queries, such as that of an archived notification, gives
an export or a verification rows from before and from after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# PostgreSQL ends a connection that holds a snapshot and was not used for so long: a
# snapshot prevents the vacuum.
IDLE_SECONDS = 600


@contextmanager
def snapshot() -> Iterator[None]:
    """Hide the commits of other connections from the queries inside.

    Only for reading: PostgreSQL refuses writes, and on SQLite they may fail. Writers
    are not blocked. Inside a transaction it has no effect.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with _deferred_transactions(), transaction.atomic():
            _execute("SELECT 1 FROM sqlite_master")  # BEGIN alone takes no snapshot
            yield
    else:
        with transaction.atomic():
            _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _execute(
                f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
            )
            _execute("SELECT 1")  # likewise
            yield


@contextmanager
def _deferred_transactions() -> Iterator[None]:
    """Begin without the write lock, which ``transaction_mode`` takes otherwise."""
    connection.ensure_connection()  # sets ``transaction_mode``
    mode = connection.transaction_mode  # type: ignore[attr-defined]  # of SQLite only
    connection.transaction_mode = None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
