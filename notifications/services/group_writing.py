"""Writing many chat groups and their labels, 100,000 of them in seconds.

What is to be written goes to the database as one JSON array of arrays a statement, and
the database makes rows of it: a parameter a value, as Django writes it, takes five
times as long. Call these inside one transaction, ``keep_others_waiting`` first.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from django.db import connection
from django.utils import timezone

from notifications.models import ChatGroup, Label

BLOCK = 500
LARGE_BLOCK = 5000
T = TypeVar("T")

# Parameters: the time, the state of a new group, the rows (``GroupValues``).
SAVE = {
    "sqlite": """
        INSERT INTO notifications_chatgroup (
            group_id, name, former_names, type, member_count,
            created_at, checked_at, state
        )
        SELECT
            json_extract(value, '$[0]'), json_extract(value, '$[1]'),
            json_extract(value, '$[2]'), json_extract(value, '$[3]'),
            json_extract(value, '$[4]'), given.now, given.now, given.state
        FROM (SELECT %s AS now, %s AS state) AS given, json_each(%s) AS new
        WHERE true
        ON CONFLICT (group_id) DO UPDATE SET
            name = excluded.name, former_names = excluded.former_names,
            type = excluded.type, member_count = excluded.member_count,
            checked_at = excluded.checked_at
    """,
    "postgresql": """
        INSERT INTO notifications_chatgroup (
            group_id, name, former_names, type, member_count,
            created_at, checked_at, state
        )
        SELECT
            value ->> 0, value ->> 1, value ->> 2, value ->> 3,
            (value ->> 4)::integer, given.now, given.now, given.state
        FROM (SELECT %s::timestamptz AS now, %s AS state) AS given,
            jsonb_array_elements(%s::jsonb) AS new
        ON CONFLICT (group_id) DO UPDATE SET
            name = excluded.name, former_names = excluded.former_names,
            type = excluded.type, member_count = excluded.member_count,
            checked_at = excluded.checked_at
    """,
}
# Parameter: the rows, each the ID of a group and the number of a label.
PUT_LABELS = {
    "sqlite": """
        INSERT INTO notifications_chatgroup_labels (chatgroup_id, label_id)
        SELECT chatgroup.id, json_extract(value, '$[1]')
        FROM json_each(%s) AS new
        JOIN notifications_chatgroup AS chatgroup
            ON chatgroup.group_id = json_extract(value, '$[0]')
    """,
    "postgresql": """
        INSERT INTO notifications_chatgroup_labels (chatgroup_id, label_id)
        SELECT chatgroup.id, (value ->> 1)::bigint
        FROM jsonb_array_elements(%s::jsonb) AS new
        JOIN notifications_chatgroup AS chatgroup
            ON chatgroup.group_id = value ->> 0
    """,
}

# group_id, name, former_names, type, member_count
GroupValues = tuple[str, str, str, str, int]


def keep_others_waiting() -> None:
    """Nobody changes groups or labels until the transaction ends; all can be read.

    On SQLite every transaction begins like that.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE notifications_chatgroup, notifications_label, "
                "notifications_chatgroup_labels IN SHARE ROW EXCLUSIVE MODE"
            )


def save(groups: Sequence[GroupValues]) -> None:
    """Add groups, in use; of those that there are, the state stays. All are checked."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        for block in _blocks(groups, LARGE_BLOCK):
            values = [now, ChatGroup.State.IN_USE.value, json.dumps(block)]
            cursor.execute(SAVE[connection.vendor], values)


def mark_checked(groups: Sequence[int]) -> None:
    """``groups`` are row numbers."""
    now = timezone.now()
    for block in _blocks(groups, BLOCK):
        ChatGroup.objects.filter(pk__in=block).update(checked_at=now)


def make_labels(names: Collection[str]) -> None:
    Label.objects.bulk_create([Label(name=name) for name in names], batch_size=BLOCK)


def take_labels(groups: Sequence[int]) -> None:
    """All labels off these groups, given by row number."""
    put = ChatGroup.labels.through.objects.all()
    for block in _blocks(groups, BLOCK):
        put.filter(chatgroup__in=block).delete()


def put_labels(pairs: Sequence[tuple[str, str]]) -> None:
    """ID of a group, label: both must exist, but not yet together."""
    names = Label.objects.order_by().values_list("name", "pk")
    numbers = {name.lower(): pk for name, pk in names} if pairs else {}
    with connection.cursor() as cursor:
        for block in _blocks(pairs, LARGE_BLOCK):
            rows = [(group, numbers[label.lower()]) for group, label in block]
            cursor.execute(PUT_LABELS[connection.vendor], [json.dumps(rows)])


def _blocks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
