"""Sealing of the audit trail, by ranges of ids.

The ranges follow one another without a gap from id 1 on, whatever times the entries
have. Each id of a range either is an entry or was unused when the range was sealed. So a
later entry with such an id is reported as added, and a removed one as missing.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from notifications import audit_log
from notifications.db.row_errors import ROW_ERRORS, is_outage
from notifications.db.sql import quoted_table
from notifications.models import AuditEntry, Seal
from notifications.record.audit_events import NOT_SEALED
from notifications.record.canonical_text import Row, iso_time, json_line
from notifications.record.chain import Pause, append, digest_of
from notifications.record.creation import log_once
from notifications.record.leaves import leaves_of

# A new seal when this many entries have no seal, or after this time.
MAX_WAITING = 1000
INTERVAL = timedelta(hours=1)

BLOCK = 500  # entries


def seal_trail(
    *, pause: Pause = lambda: None, horizon: "Horizon | None" = None
) -> Seal | None:
    """Seal the entries that have no seal; ``None`` if nothing is due or final.

    A caller that calls it repeatedly passes the same ``horizon``. An entry that cannot
    be read is sealed as such, and reported. Raises ``SealedByAnother``.
    """
    newest = newest_seal_of_trail()
    first = (newest.last_entry or 0) + 1 if newest else 1
    waiting = AuditEntry.objects.filter(pk__gte=first)
    # The clock may have been set back since the last seal.
    is_recent = newest and abs(timezone.now() - newest.sealed_at) < INTERVAL
    enough = MAX_WAITING if is_recent else 1
    if not waiting[enough - 1 : enough].exists():
        return None
    last = (horizon or Horizon()).last_final_id()
    if last < first:
        return None
    seal = Seal(kind=Seal.Kind.ACTIONS, first_entry=first, last_entry=last)
    unreadable: list[int] = []
    entries = action_rows(first, last, pause=pause, unreadable=unreadable)
    append(seal, digest_of(entries), [])
    for number in unreadable:
        report(f"audit entry {number} cannot be read.")
    return seal


def report(problem: str, *, notification: int | None = None) -> None:
    """Log a problem of sealing, and write an entry; once for each notification."""
    log_once(problem)
    entries = AuditEntry.objects.filter(
        action=NOT_SEALED.word, notification_number=notification
    )
    if notification is None or not entries.exists():
        audit_log.write(
            NOT_SEALED, "sealing", notification=notification, problem=problem
        )


def unreadable_entries() -> int:
    """The number of audit entries that could not be read when they were sealed."""
    return AuditEntry.objects.filter(
        action=NOT_SEALED.word, notification_number=None
    ).count()


def newest_seal_of_trail() -> Seal | None:
    """The last seal of audit entries; ``None`` before the first."""
    seals = Seal.objects.filter(kind=Seal.Kind.ACTIONS).order_by("-number")
    return seals.defer("leaves").first()


def last_id() -> int:
    """The last id of an audit entry that the database has assigned, 0 for none.

    Its entry may be uncommitted or rolled back.
    """
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        else:
            cursor.execute(
                "SELECT pg_get_serial_sequence(%s, 'id')", [quoted_table(AuditEntry)]
            )
            (sequence,) = cursor.fetchone()
            # Before the first use, and after setval(…, false), the value is the next id.
            next_or_last = "last_value - (NOT is_called)::int"
            cursor.execute(f"SELECT {next_or_last} FROM {sequence}")  # noqa: S608  quoted
        row = cursor.fetchone()
    return int(row[0] or 0) if row else 0


class Horizon:
    """Finds the id up to which every entry is committed or will never be inserted.

    PostgreSQL assigns ids in another order than that of the commits. An INSERT locks the
    table in the mode ROW EXCLUSIVE before it takes an id, until its transaction has ended.
    So an id up to ``last_id()`` that is not committed belongs to a transaction that holds
    this lock after ``last_id()`` was read. When all these transactions have ended, all
    ids up to that one are final. Transactions that began later have higher ids, so
    writers that always overlap do not prevent progress. No writer waits.

    On SQLite a transaction with writes excludes others, and a rollback returns its ids.
    """

    def __init__(self) -> None:
        self._last = 0
        self._writers: set[str] = set()  # whose end makes ``_last`` final

    def last_final_id(self) -> int:
        """The last final id; 0 while a transaction is open that may have a lower one."""
        last, writers = last_id(), _writers()
        if not self._writers:
            self._last, self._writers = last, writers
        if self._writers & writers:
            return 0
        self._writers = set()
        return self._last


def _writers() -> set[str]:
    """The other open transactions that may have inserted an entry."""
    if connection.vendor == "sqlite":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND relation = %s::regclass AND mode = 'RowExclusiveLock' "
            "AND pid IS DISTINCT FROM pg_backend_pid()",
            [quoted_table(AuditEntry)],
        )
        return {transaction for (transaction,) in cursor}


def action_rows(
    first: int, last: int, *, unreadable: list[int], pause: Pause = lambda: None
) -> Iterator[Row]:
    """The lines of the audit entries with these ids, in their order.

    Adds the ids of entries that cannot be read to ``unreadable``; their lines say so.
    """
    while block := _block(first, last, unreadable):
        yield from block
        first = block[-1][0] + 1
        if len(block) == BLOCK:
            pause()


def _block(first: int, last: int, unreadable: list[int]) -> list[Row]:
    entries = AuditEntry.objects.filter(pk__range=(first, last)).order_by("pk")[:BLOCK]
    try:
        return [(entry.pk, action_line(entry)) for entry in entries]
    except ROW_ERRORS:
        if is_outage():
            raise
    return [
        (number, _line(number, unreadable))
        for number in entries.values_list("pk", flat=True)
    ]


def _line(number: int, unreadable: list[int]) -> bytes:
    try:
        return action_line(AuditEntry.objects.get(pk=number))
    except ROW_ERRORS:
        if is_outage():
            raise
    unreadable.append(number)
    return json_line({"id": number, "unreadable": True})


def unused_ids(seal: Seal) -> Iterator[tuple[int, int]]:
    """The first and the last id of each gap between the entries of the seal."""
    following = seal.first_entry or 1
    for number, _digest in leaves_of(seal):
        if number > following:
            yield following, number - 1
        following = number + 1
    if seal.last_entry is not None and following <= seal.last_entry:
        yield following, seal.last_entry


def action_line(entry: AuditEntry) -> bytes:
    """Encode an audit entry as it is sealed, exported and put into the evidence."""
    return json_line(
        {
            "id": entry.pk,
            "at": iso_time(entry.at),
            "action": entry.action,
            "actor": entry.actor,
            "actor_name": entry.actor_name,
            "by_superuser": entry.by_superuser,
            "address": entry.address,
            "request": entry.request_number and str(entry.request_number),
            "notification": entry.notification_number,
            "delivery": entry.delivery_number,
            "detail": entry.detail,
        }
    )
