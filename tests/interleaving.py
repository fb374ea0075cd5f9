"""Two transactions in a fixed order: the second runs while the first is stopped.

For tests with ``transaction=True``. Example, a send during a switch-off::

    sent, switched_off = interleave(
        lambda: send(user, draft.pk, digest=digest),
        lambda: switch_off(administrator, user.pk),
        at="notifications.compose.services.send.check_audience",
    )
"""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection, connections

# Far longer than any statement of a test: reached only when both threads wait for ever.
PATIENCE = 60.0
POLL = 0.01
# Statements that wait for the write lock of SQLite.
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE")


class Side:
    """One of the two callables, in a thread with its own connection."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.ended = threading.Event()
        self._work = work
        self._statement = ""  # that the database executes now
        self._database: Any = None
        self._pid: int | None = None  # of the session in PostgreSQL
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"A thread waits for ever, at: {self._statement}")

    @property
    def result(self) -> Any:
        """What the callable returned, or the exception that it raised."""
        return self.value if self.error is None else self.error

    def waits_for(self, other: "Side") -> bool:
        """Whether the database makes this side wait for a lock of the other one."""
        if connection.vendor == "sqlite":
            holds_the_lock = (
                other._database is not None
                and other._database.in_atomic_block
                and other._database.transaction_mode is not None  # not a snapshot
            )
            return holds_the_lock and self._statement.startswith(WRITES)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity "
                "WHERE pid = %s AND wait_event_type = 'Lock'",
                [self._pid],
            )
            return cursor.fetchone() is not None

    def is_current_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        connection.ensure_connection()
        self._database = connections["default"]
        try:
            with connection.execute_wrapper(self._note_statement):
                self.value = self._work()
        except BaseException as error:  # noqa: BLE001  it is the result of this side
            self.error = error
        finally:
            connection.close()
            self.ended.set()

    def _note_statement(
        self, execute: Callable[..., Any], sql: str, *arguments: Any
    ) -> Any:
        self._statement = sql
        if connection.vendor == "postgresql":
            self._pid = connection.connection.info.backend_pid
        try:
            return execute(sql, *arguments)
        finally:
            self._statement = ""


def interleave(
    first: Callable[[], Any], second: Callable[[], Any], *, at: str
) -> tuple[Any, Any]:
    """Run ``second`` at the moment at which ``first`` calls the function ``at``.

    ``at`` is the dotted path under which ``first`` looks the function up. ``first`` goes
    on as soon as ``second`` has ended or waits for a lock that ``first`` holds. Returns
    the value or the exception of both. Raises ``AssertionError`` if ``first`` never
    calls ``at``.
    """
    one, two = Side(first), Side(second)
    reached, go_on = threading.Event(), threading.Event()
    with _stopping_at(at, one, reached, go_on):
        one.start()
        while not reached.wait(POLL):
            if one.ended.is_set():
                raise AssertionError(f"{at} was not called: {one.result!r}")
        two.start()
        try:
            while not two.ended.wait(POLL) and not two.waits_for(one):
                pass
        finally:
            go_on.set()
        one.join()
        two.join()
    return one.result, two.result


@contextmanager
def _stopping_at(
    path: str, side: Side, reached: threading.Event, go_on: threading.Event
) -> Iterator[None]:
    """Make the first call of the function by ``side`` wait for ``go_on``."""
    module, _, name = path.rpartition(".")
    owner: Any
    try:
        owner = importlib.import_module(module)
    except ModuleNotFoundError:  # a method: module.Class.method
        module, _, of = module.rpartition(".")
        owner = getattr(importlib.import_module(module), of)
    function = getattr(owner, name)

    def stopping(*arguments: Any, **named: Any) -> Any:
        if side.is_current_thread() and not reached.is_set():
            reached.set()
            if not go_on.wait(PATIENCE):
                raise AssertionError(f"{path}: the other side neither ended nor waits")
        return function(*arguments, **named)

    with patch.object(owner, name, stopping):
        yield
