"""Creates the rows of a send: one delivery per chat group and portion of recipients.

100,000 rows take one or two seconds, because the database copies them from the table
of chat groups; created one by one in Python, they take ten times as long.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection
from django.utils import timezone

from notifications.compose.checked import (
    ChangedSinceCheck,
    CheckedGroups,
    list_groups,
)
from notifications.compose.recipients import portions
from notifications.db.sql import insert_select, quoted_column, quoted_table
from notifications.delivery.channels import CHANNELS
from notifications.models import ChatGroup, Delivery, Notification

# The number of groups in one statement.
BLOCK = 5000

# Wraps each block of a large send; by default, one transaction covers all blocks.
Around = Callable[[], AbstractContextManager[object]]

# Field of Delivery → field of ChatGroup that is copied into it.
COPIED = {"group_id": "group_id", "group_name": "name", "group_type": "type"}


def create_deliveries(
    notification: Notification,
    groups: Sequence[int],
    checked: CheckedGroups,
    *,
    block: int = BLOCK,
    around_block: Around = nullcontext,
    around_comparison: Around = nullcontext,
) -> None:
    """Create all deliveries of a draft; ``groups`` are primary keys.

    Raises ``ChangedSinceCheck`` unless they are for the groups that the Check page showed.
    """
    now = timezone.now()
    parts = portions(notification.recipient_ids, CHANNELS[notification.channel])
    for number, recipients in enumerate(parts, start=1):
        try:
            insert_deliveries(
                notification,
                groups,
                portion=number,
                recipients=recipients,
                now=now,
                block=block,
                around_block=around_block,
            )
        except IntegrityError:  # the new type of a group refuses the message
            raise ChangedSinceCheck from None
        # A sync may have changed a group between two queries: the inserted rows are
        # compared.
        rows = notification.deliveries.filter(portion=number)
        with around_comparison():
            groups_of_rows = list_groups(rows, "group_id", "group_type", "group_name")
        if groups_of_rows != checked:
            raise ChangedSinceCheck


def insert_deliveries(
    notification: Notification,
    groups: Sequence[int],
    *,
    portion: int,
    recipients: str,
    now: datetime,
    block: int = BLOCK,
    around_block: Around = nullcontext,
) -> int:
    """Insert a queued delivery for each chat group in use; ``groups`` are primary keys.

    ``recipients`` in stored form, empty for everyone. ``block`` is the number of groups
    in one statement. Call it inside a transaction, or with ``around_block`` that begins
    one, and compare the result, the number of inserted rows, with ``len(groups)``.
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
    inserted = 0
    for start in range(0, len(groups), block):
        with around_block():
            inserted += _insert(values, groups[start : start + block])
    return inserted


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
