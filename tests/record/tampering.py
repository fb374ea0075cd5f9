"""Tamper with a sealed record in every way, with the differences that must be reported.

Each tampering is a function that changes rows by SQL, or files, and returns the sentences
that must be among the differences. The guards must be disabled.
"""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
    Tally,
)
from tests.factories import MOMENT, make_attempt, make_delivery, make_query


@dataclass(frozen=True, slots=True)
class Scene:
    """A sealed record: ``stored`` have rows, ``archived`` have files in ``folder``."""

    random: Random
    folder: Path
    stored: Sequence[Notification]
    archived: Sequence[Notification]

    def any(self, model: type[Model], **where: Any) -> Any:
        return self.random.choice(list(model.objects.filter(**where).order_by("pk")))

    def two(self, model: type[Model], **where: Any) -> list[Any]:
        """Two rows, in the order of their numbers."""
        rows = list(model.objects.filter(**where).order_by("pk"))
        return sorted(self.random.sample(rows, 2), key=lambda row: row.pk)

    def delivery(self) -> Delivery:
        return self.any(Delivery, notification__in=self.stored)

    def attempt(self) -> Attempt:
        return self.any(Attempt, delivery__notification__in=self.stored)

    def entry(self) -> AuditEntry:
        return self.any(AuditEntry)

    def file(self, archive: Archive) -> Path:
        return self.folder / archive.file_name


Tampering = Callable[[Scene], list[str]]
LATER = timedelta(seconds=7)


def sql(statement: str, values: Sequence[object] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def drop_guard(name: str, table: str = Delivery._meta.db_table) -> None:
    on_table = "" if connection.vendor == "sqlite" else f' ON "{table}"'
    sql(f'DROP TRIGGER "{name}"{on_table}')


def edit(row: Model, **values: Any) -> None:
    fields = {field.attname: field for field in row._meta.concrete_fields}
    sets = ", ".join(f'"{fields[name].column}" = %s' for name in values)
    prepared = [
        fields[name].get_db_prep_save(value, connection)
        for name, value in values.items()
    ]
    table = row._meta.db_table
    sql(f'UPDATE "{table}" SET {sets} WHERE id = %s', [*prepared, row.pk])  # noqa: S608  names of the model


def delete(row: Model) -> int:
    return sql(f'DELETE FROM "{row._meta.db_table}" WHERE id = %s', [row.pk])  # noqa: S608  likewise


def swap(one: Any, other: Any, *names: str) -> None:
    before = {name: getattr(one, name) for name in names}
    edit(one, **{name: getattr(other, name) for name in names})
    edit(other, **before)


def changed(delivery: Delivery) -> str:
    return f"delivery {delivery.pk} of notification {delivery.notification_id} was changed."


# --- deliveries -------------------------------------------------------------------

DELIVERY_EDITS: list[dict[str, Any]] = [
    {"group_id": "another"},
    {"group_name": "Another"},
    {"group_type": "ChatRoom"},
    {"sender_name": "chen.jie"},
    {"portion": 9},
    {"recipients": "amy"},
    {"error_info": "edited"},
    {"attempt_count": 9},
    {"rejection_count": 9},
    {"channel": "group_message", "random": 4_000_000_000},
    {"created_at": MOMENT + LATER},
    {"finished_at": MOMENT + LATER},
    {"status": "failed", "error_code": 10016, "reason": "", "attempt_count": 1},
    {
        "status": "unconfirmed",
        "error_code": None,
        "reason": "bad_answer",
        "attempt_count": 1,
    },
]


def delivery_edited(scene: Scene) -> list[str]:
    row = scene.delivery()
    edit(row, **scene.random.choice(DELIVERY_EDITS))
    return [changed(row)]


def delivery_deleted(scene: Scene) -> list[str]:
    row = scene.delivery()
    sql(f'DELETE FROM "{Attempt._meta.db_table}" WHERE delivery_id = %s', [row.pk])  # noqa: S608  likewise
    delete(row)
    return [f"delivery {row.pk} is missing from notification {row.notification_id}."]


def delivery_inserted(scene: Scene) -> list[str]:
    row = make_delivery(scene.random.choice(scene.stored), status="accepted")
    return [f"delivery {row.pk} was added to notification {row.notification_id}."]


def deliveries_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(Delivery, notification=scene.random.choice(scene.stored))
    swap(one, other, "group_name", "error_info")
    return [changed(one)]


def delivery_moved(scene: Scene) -> list[str]:
    row = scene.delivery()
    to = scene.random.choice([n for n in scene.stored if n.pk != row.notification_id])
    edit(row, notification_id=to.pk)
    return [
        f"delivery {row.pk} is missing from notification {row.notification_id}.",
        f"delivery {row.pk} was added to notification {to.pk}.",
    ]


def delivery_renumbered(scene: Scene) -> list[str]:
    row = scene.any(Delivery, notification__in=scene.stored, status="cancelled")
    edit(row, id=row.pk + 10_000)
    return [f"delivery {row.pk} is missing from notification {row.notification_id}."]


# --- attempts ---------------------------------------------------------------------

ATTEMPT_EDITS: list[dict[str, Any]] = [
    {"number": 9},
    {"worker": 9},
    {"started_at": MOMENT - LATER},
    {"finished_at": MOMENT + LATER},
    {"detail": "edited"},
    {"action_status": "edited"},
    {"error_info": "edited"},
    {
        "outcome": "unconfirmed",
        "reason": "bad_answer",
        "error_code": None,
        "http_status": 502,
    },
]


QUERY_EDITS: list[dict[str, Any]] = [
    {"number": 9},
    {"worker": 9},
    {"asked_by": "chen.jie"},
    {"started_at": MOMENT - LATER},
    {"finished_at": MOMENT + timedelta(hours=1)},
    {"request": "[]"},
    {"response": "[]"},
    {"verdict": "unclear"},
    {"kind": "repeat", "verdict": "unclear"},
    {"error_code": 10007},
    {"detail": "edited"},
]


def attempt_edited(scene: Scene) -> list[str]:
    row = scene.attempt()
    edit(row, **scene.random.choice(ATTEMPT_EDITS))
    return [changed(row.delivery)]


def another_number_of_attempts(delivery: Delivery) -> list[str]:
    return [
        f"delivery {delivery.pk} of notification {delivery.notification_id} has another "
        "number of attempts or queries."
    ]


def attempt_deleted(scene: Scene) -> list[str]:
    row = scene.attempt()
    delete(row)
    return another_number_of_attempts(row.delivery)


def attempt_inserted(scene: Scene) -> list[str]:
    row = make_attempt(scene.delivery())
    return another_number_of_attempts(row.delivery)


def query_edited(scene: Scene) -> list[str]:
    row = scene.any(DeliveryQuery)
    edit(row, **scene.random.choice(QUERY_EDITS))
    return [changed(row.delivery)]


def query_deleted(scene: Scene) -> list[str]:
    row = scene.any(DeliveryQuery)
    delete(row)
    return another_number_of_attempts(row.delivery)


def query_inserted(scene: Scene) -> list[str]:
    row = make_query(scene.delivery())
    return another_number_of_attempts(row.delivery)


def attempts_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(Attempt, delivery__notification__in=scene.stored, number=1)
    edit(one, number=99)
    edit(other, delivery_id=one.delivery_id)
    edit(one, delivery_id=other.delivery_id, number=1)
    edit(other, detail="swapped")  # equal attempts would give the same record
    return [changed(one.delivery)]


def attempt_moved(scene: Scene) -> list[str]:
    row = scene.attempt()
    to = scene.any(Delivery, notification=row.delivery.notification, status="cancelled")
    edit(row, delivery_id=to.pk)
    first = min(row.delivery, to, key=lambda delivery: delivery.pk)
    return another_number_of_attempts(first)


# --- notifications ----------------------------------------------------------------

HEADER_EDITS: list[dict[str, Any]] = [
    {"content": "Edited"},
    {"note": "Edited"},
    {"sender_name": "chen.jie"},
    {"written_by_name": "chen.jie"},
    {"by_superuser": True},
    {"recipients": "amy"},
    {"audience": "rule"},
    {"audience_values": ["another"]},
    {"audience_count": 999},
    {"checked_digest": "ab"},
    {"status": "cancelled"},
    {"status": "cancelled", "stop_reason": "person"},
    {"scheduled_for": MOMENT},
    {"not_after": MOMENT},
    {"created_at": MOMENT - LATER},
    {"sent_at": MOMENT - LATER},
    {"finished_at": MOMENT + LATER},
]


def first_line(notification: Notification) -> str:
    return (
        f"notification {notification.pk} was changed: its first line, which says what "
        "was sent."
    )


def header_edited(scene: Scene) -> list[str]:
    row = scene.random.choice([*scene.stored, *scene.archived])
    edit(row, **scene.random.choice(HEADER_EDITS))
    return [first_line(row)]


def header_deleted(scene: Scene) -> list[str]:
    row = scene.random.choice([*scene.stored, *scene.archived])
    delete(row)
    return [f"notification {row.pk} is missing."]


def headers_swapped(scene: Scene) -> list[str]:
    one, other = scene.random.sample([*scene.stored, *scene.archived], 2)
    swap(one, other, "content", "note", "sent_at")
    return [first_line(one), first_line(other)]


def notification_deleted_whole(scene: Scene) -> list[str]:
    """Delete all rows of a notification, its seal included."""
    row = scene.random.choice(scene.stored[:-1])
    seal = row.seal
    for attempt in Attempt.objects.filter(delivery__notification=row):
        delete(attempt)
    for model in (Delivery, Tally, Seal):
        table = model._meta.db_table
        sql(f'DELETE FROM "{table}" WHERE notification_id = %s', [row.pk])  # noqa: S608  likewise
    delete(row)
    return [f"seal {seal.number} is missing."]


# --- tallies ----------------------------------------------------------------------

TALLY_EDITS: list[dict[str, Any]] = [
    {"count": 99},
    {"status": "queued"},
    {"error_code": 10099},
    {"reason": "edited"},
    {"group_type": "BChatRoom"},
    {"sender_name": "chen.jie"},
    {"created_at": MOMENT - LATER},
    {"first_delivery": 0},
    {"last_delivery": 9_999_999},
]


def tallies_changed(scene: Scene, notification: Notification) -> list[str]:
    if notification in scene.archived:  # has no rows to count again
        return [f"seal {notification.seal.number} was changed."]
    return [f"notification {notification.pk}: its tallies were changed ("]


def tally_edited(scene: Scene) -> list[str]:
    row = scene.any(Tally)
    edit(row, **scene.random.choice(TALLY_EDITS))
    return tallies_changed(scene, row.notification)


def tally_deleted(scene: Scene) -> list[str]:
    row = scene.any(Tally)
    delete(row)
    return tallies_changed(scene, row.notification)


def tally_inserted(scene: Scene) -> list[str]:
    row = scene.any(Tally)
    notification = row.notification
    row.pk = None
    row.save(force_insert=True)
    return tallies_changed(scene, notification)


def tallies_swapped(scene: Scene) -> list[str]:
    notification = scene.random.choice(scene.stored)
    accepted, cancelled = (
        notification.tallies.get(status=status) for status in ("accepted", "cancelled")
    )
    swap(accepted, cancelled, "count")
    return tallies_changed(scene, notification)


# --- seals ------------------------------------------------------------------------

SEAL_EDITS: list[dict[str, Any]] = [
    {"digest": "0" * 64},
    {"head": "0" * 64},
    {"leaves": b"0" * 16},
    {"rows": 99},
    {"text_format": 9},
    {"sealed_at": MOMENT},
]


def seal_edited(scene: Scene) -> list[str]:
    row = scene.any(Seal)
    edit(row, **scene.random.choice(SEAL_EDITS))
    return [f"seal {row.number} was changed."]


def seal_loosened(scene: Scene) -> list[str]:
    row = scene.any(Seal, number__gt=1)
    edit(row, previous="0" * 64)
    return [f"seal {row.number} does not follow seal {row.number - 1}."]


def seal_deleted(scene: Scene) -> list[str]:
    row = scene.any(Seal, number__lt=Seal.objects.count())
    delete(row)
    return [f"seal {row.number} is missing."]


def last_seal_deleted(scene: Scene) -> list[str]:
    """Only detected by a head that was kept elsewhere."""
    row = Seal.objects.latest("number")
    delete(row)
    return [f"No seal has the head {row.head}: seals were removed or made anew."]


def seal_inserted(scene: Scene) -> list[str]:
    last = Seal.objects.latest("number")
    Seal.objects.create(
        number=last.number + 1,
        kind=Seal.Kind.ACTIONS,
        first_entry=9_998,
        last_entry=9_999,
        rows=0,
        digest=hashlib.sha256(b"").hexdigest(),
        leaves=b"",
        previous=last.head,
        head="1" * 64,
    )
    return [f"seal {last.number + 1} was changed."]


def seals_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(Seal)
    swap(one, other, "digest", "rows")
    return [f"seal {row.number} was changed." for row in (one, other)]


def order_of_seals_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(Seal, number__gt=1)
    edit(one, number=9_999)
    edit(other, number=one.number)
    edit(one, number=other.number)
    return [f"seal {one.number} does not follow seal {one.number - 1}."]


# --- the audit trail --------------------------------------------------------------

ENTRY_EDITS: list[dict[str, Any]] = [
    {"actor": "nobody"},
    {"actor_name": "Nobody"},
    {"action": "stopped"},
    {"by_superuser": True},
    {"address": "192.0.2.9"},
    {"request_number": "0b4d2d3e-3c0e-4f0c-9a53-1c3f4f2d7a11"},
    {"notification_number": 999},
    {"delivery_number": 999},
    {"detail": {"groups": 999}},
    {"at": MOMENT + LATER},
]


def entry_edited(scene: Scene) -> list[str]:
    row = scene.entry()
    edit(row, **scene.random.choice(ENTRY_EDITS))
    return [f"audit entry {row.pk} of the audit trail was changed."]


def entry_deleted(scene: Scene) -> list[str]:
    row = scene.entry()
    delete(row)
    return [f"audit entry {row.pk} is missing from the audit trail."]


def entry_inserted(scene: Scene) -> list[str]:
    AuditEntry.objects.create(pk=-1, action="sent", actor="lin.mei", at=MOMENT)
    return ["audit entry -1 was added to the audit trail"]


def entry_replaced(scene: Scene) -> list[str]:
    row = scene.entry()
    delete(row)
    AuditEntry.objects.create(pk=row.pk, action="sent", actor="lin.mei", at=row.at)
    return [f"audit entry {row.pk} of the audit trail was changed."]


def entry_made_younger(scene: Scene) -> list[str]:
    row = scene.entry()
    edit(row, at=timezone.now())
    return [f"audit entry {row.pk} of the audit trail was changed."]


def entry_renumbered(scene: Scene) -> list[str]:
    row = scene.entry()
    edit(row, id=0)
    return [
        f"audit entry {row.pk} is missing from the audit trail.",
        "audit entry 0 was added to the audit trail",
    ]


def entries_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(AuditEntry)
    swap(one, other, "actor", "detail")
    return [f"audit entry {one.pk} of the audit trail was changed."]


# --- archives ---------------------------------------------------------------------


def other_file(path: Path) -> list[str]:
    return [f"{path.name} is not the file that was archived."]


def file_edited(scene: Scene) -> list[str]:
    path = scene.file(scene.any(Archive))
    data = bytearray(path.read_bytes())
    data[scene.random.randrange(len(data))] ^= 1 << scene.random.randrange(8)
    path.write_bytes(data)
    return other_file(path)


def file_cut(scene: Scene) -> list[str]:
    path = scene.file(scene.any(Archive))
    data = path.read_bytes()
    path.write_bytes(data[: scene.random.randrange(len(data))])
    return other_file(path)


def files_swapped(scene: Scene) -> list[str]:
    one, other = (scene.file(archive) for archive in scene.two(Archive))
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return other_file(one) + other_file(other)


def file_forged(scene: Scene) -> list[str]:
    """Write another text into a valid file, and its digest into the database."""
    archive = scene.any(Archive)
    path = scene.file(archive)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    at = scene.random.randrange(1, len(lines))
    number = int(lines[at].split(b",")[1].strip(b'"'))
    lines[at] = (
        lines[at].replace(b'"]', b'!"]')
        if b'"]' in lines[at]
        else lines[at].replace(b"]", b',"x"]')
    )
    data = gzip.compress(b"".join(lines), mtime=0)
    path.write_bytes(data)
    edit(archive, file_digest=hashlib.sha256(data).hexdigest())
    return [
        f"delivery {number} of notification {archive.notification_id} was changed.",
        *archive_changed(archive),
    ]


def file_replaced_by_garbage(scene: Scene) -> list[str]:
    """Write no compressed text at all, and its digest into the database."""
    archive = scene.any(Archive)
    data = scene.random.choice([b"garbage", gzip.compress(b"{}\n[]\n"), b""])
    scene.file(archive).write_bytes(data)
    edit(archive, file_digest=hashlib.sha256(data).hexdigest())
    return [f"notification {archive.notification_id}", *archive_changed(archive)]


def archive_changed(archive: Archive) -> list[str]:
    return [f"the archive of notification {archive.notification_id} was changed."]


ARCHIVE_EDITS: list[dict[str, Any]] = [
    {"file_digest": "0" * 64},
    {"file_name": "another.jsonl.gz"},
    {"deliveries": 99},
    {"attempts": 99},
    {"by_group": {"parts": 2, "counts": {}, "problems": []}},
    {"archived_at": MOMENT - LATER},
]


def archive_edited(scene: Scene) -> list[str]:
    row = scene.any(Archive)
    edit(row, **scene.random.choice(ARCHIVE_EDITS))
    return archive_changed(row)


def archive_moved(scene: Scene) -> list[str]:
    """Pass the archive off as that of another notification."""
    row = scene.any(Archive)
    to = scene.random.choice(scene.stored)
    edit(row, notification_id=to.pk)
    return [f"the archive of notification {to.pk} was changed."]


def archive_deleted(scene: Scene) -> list[str]:
    archive = scene.any(Archive)
    delete(archive)
    first = archive.notification.tallies.order_by("first_delivery").first()
    return [
        f"delivery {first.first_delivery} is missing from notification "
        f"{archive.notification_id}.",
        f"the archive of notification {archive.notification_id} is missing.",
    ]


def archive_inserted(scene: Scene) -> list[str]:
    """Remove the rows and insert an archive that seems to explain it."""
    notification = scene.random.choice(scene.stored)
    first = notification.deliveries.order_by("pk").first()
    for attempt in Attempt.objects.filter(delivery__notification=notification):
        delete(attempt)
    for delivery in notification.deliveries.all():
        delete(delivery)
    Archive.objects.create(
        notification=notification,
        file_name="none.jsonl.gz",
        file_digest="0" * 64,
        deliveries=5,
        attempts=6,
    )
    return [
        f"delivery {first.pk} is missing from notification {notification.pk}.",
        f"the archive of notification {notification.pk} has no seal.",
    ]


def archives_swapped(scene: Scene) -> list[str]:
    one, other = scene.two(Archive)
    swap(one, other, "file_name", "file_digest")
    return archive_changed(one) + archive_changed(other)


TAMPERINGS: list[Tampering] = [
    delivery_edited,
    delivery_deleted,
    delivery_inserted,
    deliveries_swapped,
    delivery_moved,
    delivery_renumbered,
    attempt_edited,
    attempt_deleted,
    attempt_inserted,
    attempts_swapped,
    attempt_moved,
    query_edited,
    query_deleted,
    query_inserted,
    header_edited,
    header_deleted,
    headers_swapped,
    notification_deleted_whole,
    tally_edited,
    tally_deleted,
    tally_inserted,
    tallies_swapped,
    seal_edited,
    seal_loosened,
    seal_deleted,
    last_seal_deleted,
    seal_inserted,
    seals_swapped,
    order_of_seals_swapped,
    entry_edited,
    entry_deleted,
    entry_inserted,
    entry_replaced,
    entry_made_younger,
    entry_renumbered,
    entries_swapped,
    file_edited,
    file_cut,
    files_swapped,
    file_forged,
    file_replaced_by_garbage,
    archive_edited,
    archive_moved,
    archive_deleted,
    archive_inserted,
    archives_swapped,
]
