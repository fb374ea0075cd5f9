"""The text that a seal covers: a finished notification as JSON Lines.

The first line is the notification; the deliveries follow in the order of their ids, then
their attempts. The same bytes are sealed, archived and put into the evidence, so
``sha256sum`` of such a file gives the digest of the seal. Both databases give the same
text: they build the lines in SQL, several times faster than Python could.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from django.db import models

from notifications.db.sql import quoted_table
from notifications.db.text_rows import numbered_lines, text_array
from notifications.models import Attempt, Delivery, Notification
from notifications.models.field_uses import Use, column_names

FORMAT = 1

BLOCK = 500  # lines
NOTIFICATION_FIELDS = column_names(Notification, Use.SEALED)
DELIVERY_FIELDS = column_names(Delivery, Use.SEALED)
ATTEMPT_FIELDS = column_names(Attempt, Use.SEALED)
# The id of a delivery, also for the lines of its attempts, and the line.
Row = tuple[int, bytes]


def rows(
    notification: Notification, *, pause: Callable[[], object] = lambda: None
) -> Iterator[Row]:
    """Yield the lines in order; the number of the first one is 0.

    ``pause`` is called after every ``BLOCK`` lines; an exception that it raises ends the
    reading. The notification must have ended: deliveries and attempts are read in two
    queries.
    """
    yield 0, _first_line(notification)
    for query in _queries():
        lines = numbered_lines(query, [notification.pk])
        while block := list(islice(lines, BLOCK)):
            yield from block
            pause()


def canonical_text(notification: Notification) -> Iterator[bytes]:
    """The whole text, line by line."""
    return (line for _number, line in rows(notification))


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


def _first_line(notification: Notification) -> bytes:
    values = {name: getattr(notification, name) for name in NOTIFICATION_FIELDS}
    values["token"] = str(notification.token)
    return json_line(
        {
            "format": FORMAT,
            "notification": {
                name: iso_time(value) if isinstance(value, datetime) else value
                for name, value in values.items()
            },
            "delivery": DELIVERY_FIELDS,
            "attempt": ATTEMPT_FIELDS,
        }
    )


def _queries() -> tuple[str, str]:
    """SQL for the id and the line of the deliveries, and of their attempts."""
    deliveries, attempts = quoted_table(Delivery), quoted_table(Attempt)
    return (
        f"SELECT d.id, {_array('delivery', 'd', Delivery, DELIVERY_FIELDS)} "  # noqa: S608  names of the models
        f"FROM {deliveries} d WHERE d.notification_id = %s ORDER BY d.id",
        f"SELECT d.id, {_array('attempt', 'a', Attempt, ATTEMPT_FIELDS)} "  # noqa: S608  likewise
        f"FROM {deliveries} d JOIN {attempts} a ON a.delivery_id = d.id "
        "WHERE d.notification_id = %s ORDER BY d.id, a.number",
    )


def _array(kind: str, alias: str, model: type[models.Model], columns: list[str]) -> str:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return text_array(alias, kind, [fields[column] for column in columns])
