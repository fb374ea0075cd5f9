"""The text that a seal covers: a finished notification as JSON Lines.

The first line is the notification; the deliveries follow in the order of their ids, then
their attempts, then the queries about them. The same bytes are sealed, archived and put
into the evidence, so ``sha256sum`` of such a file gives the digest of the seal. Both
databases give the same text: they build the lines in SQL, several times faster than
Python could.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from django.db import models

from notifications.db.sql import quoted_table
from notifications.db.text_rows import numbered_lines, text_array
from notifications.models import Attempt, Delivery, DeliveryQuery, Notification
from notifications.models.field_uses import Use, column_names

FORMAT = 3

BLOCK = 500  # lines
# Kind of line → model. The lines of a format are in this order.
MODELS: dict[str, type[models.Model]] = {
    "notification": Notification,
    "delivery": Delivery,
    "attempt": Attempt,
    "query": DeliveryQuery,
}
# Format → kind of line → columns. A seal can be verified only with the columns of its
# format, so those of a release never change: a new column requires a new format.
COLUMNS: dict[int, dict[str, list[str]]] = {
    1: {
        "notification": [
            "id",
            "token",
            "sender_id",
            "sender_name",
            "written_by_id",
            "written_by_name",
            "by_superuser",
            "content",
            "note",
            "recipients",
            "audience",
            "audience_values",
            "audience_count",
            "checked_digest",
            "status",
            "stop_reason",
            "scheduled_for",
            "not_after",
            "resend_of_id",
            "created_at",
            "sent_at",
            "finished_at",
        ],
        "delivery": [
            "id",
            "group_id",
            "group_name",
            "group_type",
            "sender_name",
            "portion",
            "recipients",
            "status",
            "reason",
            "error_code",
            "error_info",
            "attempt_count",
            "rejection_count",
            "created_at",
            "finished_at",
        ],
        "attempt": [
            "delivery_id",
            "number",
            "worker",
            "started_at",
            "finished_at",
            "outcome",
            "reason",
            "detail",
            "http_status",
            "action_status",
            "error_code",
            "error_info",
        ],
    },
    2: {
        "notification": [
            "id",
            "token",
            "sender_id",
            "sender_name",
            "written_by_id",
            "written_by_name",
            "by_superuser",
            "content",
            "note",
            "recipients",
            "channel",
            "message_options",
            "audience",
            "audience_values",
            "audience_count",
            "checked_digest",
            "status",
            "stop_reason",
            "scheduled_for",
            "not_after",
            "resend_of_id",
            "created_at",
            "sent_at",
            "finished_at",
        ],
        "delivery": [
            "id",
            "group_id",
            "group_name",
            "group_type",
            "sender_name",
            "portion",
            "recipients",
            "channel",
            "mention_all",
            "online_only",
            "no_unread",
            "no_last_message",
            "random",
            "msg_seq",
            "msg_time",
            "drop_reason",
            "is_altered",
            "status",
            "reason",
            "error_code",
            "error_info",
            "attempt_count",
            "rejection_count",
            "created_at",
            "finished_at",
        ],
        "attempt": [
            "delivery_id",
            "number",
            "worker",
            "started_at",
            "finished_at",
            "outcome",
            "reason",
            "detail",
            "http_status",
            "action_status",
            "error_code",
            "error_info",
            "msg_seq",
            "msg_time",
            "drop_reason",
        ],
        "query": [
            "delivery_id",
            "number",
            "kind",
            "worker",
            "asked_by",
            "started_at",
            "finished_at",
            "request",
            "response",
            "verdict",
            "error_code",
            "detail",
        ],
    },
    FORMAT: {kind: column_names(model, Use.SEALED) for kind, model in MODELS.items()},
}
# The id of a delivery, also for the lines of its attempts, and the line.
Row = tuple[int, bytes]


def rows(
    notification: Notification,
    text_format: int = FORMAT,
    *,
    pause: Callable[[], object] = lambda: None,
) -> Iterator[Row]:
    """Yield the lines in order; the number of the first one is 0.

    ``pause`` is called after every ``BLOCK`` lines; an exception that it raises ends the
    reading. The notification must have ended: each kind of line is read in a query of
    its own.
    """
    columns = COLUMNS[text_format]
    yield 0, _first_line(notification, text_format)
    for query in _queries(columns):
        lines = numbered_lines(query, [notification.pk])
        while block := list(islice(lines, BLOCK)):
            yield from block
            pause()


def canonical_text(
    notification: Notification, text_format: int = FORMAT
) -> Iterator[bytes]:
    """The whole text, line by line."""
    return (line for _number, line in rows(notification, text_format))


def rows_of_file(lines: Iterable[bytes]) -> Iterator[Row]:
    """Read the rows back from the lines of a file.

    Raises ``ValueError`` for an invalid line.
    """
    for index, text in enumerate(lines):
        yield (0 if index == 0 else int(json.loads(text)[1])), text


def iso_time(moment: datetime | None) -> str | None:
    """The time in the format of the database lines: UTC, without trailing zeros."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def json_line(value: object) -> bytes:
    """Encode the value as one line of JSON with sorted keys, without spaces, in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode() + b"\n"


def _first_line(notification: Notification, text_format: int) -> bytes:
    columns = COLUMNS[text_format]
    values = {name: getattr(notification, name) for name in columns["notification"]}
    values["token"] = str(notification.token)
    return json_line(
        {
            **columns,
            "format": text_format,
            "notification": {
                name: iso_time(value) if isinstance(value, datetime) else value
                for name, value in values.items()
            },
        }
    )


def _queries(columns: dict[str, list[str]]) -> Iterator[str]:
    """SQL for the id and the line of the deliveries, and of what belongs to them."""
    deliveries = quoted_table(Delivery)
    yield (
        f"SELECT d.id, {_array('delivery', 'd', columns)} "  # noqa: S608  names of the models
        f"FROM {deliveries} d WHERE d.notification_id = %s ORDER BY d.id"
    )
    for kind in columns:
        if kind in ("notification", "delivery"):
            continue
        yield (
            f"SELECT d.id, {_array(kind, 'r', columns)} FROM {deliveries} d "  # noqa: S608  likewise
            f"JOIN {quoted_table(MODELS[kind])} r ON r.delivery_id = d.id "
            "WHERE d.notification_id = %s ORDER BY d.id, r.number"
        )


def _array(kind: str, alias: str, columns: dict[str, list[str]]) -> str:
    fields = {field.attname: field for field in MODELS[kind]._meta.concrete_fields}
    return text_array(alias, kind, [fields[column] for column in columns[kind]])
