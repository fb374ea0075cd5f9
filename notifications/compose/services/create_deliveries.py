"""Creates the rows of a send: one delivery per chat group and portion of recipients.

100,000 rows take one or two seconds, because the database copies them from the table
of chat groups; created one by one in Python, they take ten times as long.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.db.sql import insert_select, quoted_column, quoted_table
from notifications.models import ChatGroup, Delivery, Notification

BLOCK = 5000

# Field of Delivery → field of ChatGroup that is copied into it.
COPIED = {"group_id": "group_id", "group_name": "name", "group_type": "type"}


def insert_deliveries(
    notification: Notification,
    groups: Sequence[int],
    *,
    portion: int,
    recipients: str,
    now: datetime,
    block: int = BLOCK,
) -> int:
    """Insert a queued delivery for each chat group in use; ``groups`` are primary keys.

    ``recipients`` in stored form, empty for everyone. ``block`` is the number of groups
    in one statement. Call it inside a transaction and compare the result, the number of
    inserted rows, with ``len(groups)``.
    """
    options = notification.options
    values = {
        "notification": notification.pk,
        "channel": notification.channel,
        "mention_all": options.mention_all,
        "online_only": options.online_only,
        "no_unread": options.no_unread,
        "no_last_message": options.no_last_message,
        "sender_name": notification.sender_name,
        "portion": portion,
        "recipients": recipients,
        "not_before": now,
        "created_at": now,
    }
    return sum(
        _insert(values, groups[start : start + block])
        for start in range(0, len(groups), block)
    )


def _insert(values: dict[str, Any], groups: Sequence[int]) -> int:
    fields = [f for f in Delivery._meta.concrete_fields if not f.primary_key]
    selected: list[str] = []
    parameters: list[Any] = []
    for field in fields:
        if field.name in COPIED:
            selected.append(quoted_column(ChatGroup, COPIED[field.name]))
        else:
            selected.append("%s")
            value = values[field.name] if field.name in values else field.get_default()
            parameters.append(field.get_db_prep_save(value, connection))
    # Rows, and so calls, are in the order of the choice. Both databases name the columns
    # of VALUES column1 and column2.
    places = ", ".join(f"({place}, {pk:d})" for place, pk in enumerate(groups))
    return insert_select(
        Delivery,
        [field.name for field in fields],
        f"SELECT {', '.join(selected)} FROM (VALUES {places}) AS chosen "  # noqa: S608  no user input
        f"JOIN {quoted_table(ChatGroup)} "
        f"ON {quoted_column(ChatGroup, 'id')} = chosen.column2 "
        f"WHERE {quoted_column(ChatGroup, 'state')} = %s ORDER BY chosen.column1",
        [*parameters, ChatGroup.State.IN_USE.value],
    )
