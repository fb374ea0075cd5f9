"""The text that a seal is made over: a finished notification as JSON Lines.

The first line is the notification; then come the deliveries in the order of their ids,
then their attempts. The same bytes are sealed, archived and put into the evidence, so
``sha256sum`` of such a file gives the digest of the seal. Both databases give the same
text: they write the lines themselves, several times faster than Python could.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from django.db import models

from notifications.db.sql import quoted_table
from notifications.db.text_rows import numbered_lines, text_array
from notifications.models import Attempt, Delivery, Notification
from notifications.models.field_uses import Use, names

FORMAT = 1

BLOCK = 500  # lines

NOTIFICATION_FIELDS = names(Notification, Use.SEALED)

DELIVERY_FIELDS = names(Delivery, Use.SEALED)

ATTEMPT_FIELDS = names(Attempt, Use.SEALED)


# The number of a row (a delivery's, also for its attempts) and its line.
Row = tuple[int, bytes]


def rows(
    notification: Notification, *, pause: Callable[[], object] = lambda: None
) -> Iterator[Row]:
    """The lines in their order; the number of the first one is 0.

    ``pause`` is called after every ``BLOCK`` lines; what it raises ends the reading.
    Call it for what does not change any more: deliveries and attempts are read one
    after the other.
    """
    yield 0, _first_line(notification)
    for query in _queries():
        found = numbered_lines(query, [notification.pk])
        while block := list(islice(found, BLOCK)):
            yield from block
            pause()


def canonical_text(notification: Notification) -> Iterator[bytes]:
    """The whole text, line by line."""
    return (line for _number, line in rows(notification))


def rows_of_file(lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a text that was written to a file.

    Raises ``ValueError`` for a line that is no row.
    """
    for number, text in enumerate(lines):
        yield (0 if number == 0 else int(json.loads(text)[1])), text


def iso_time(moment: datetime | None) -> str | None:
    """A time as the databases write it here: UTC, no zeros at the end of a second."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def line(value: object) -> bytes:
    """One line of JSON with sorted keys and without spaces, in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode() + b"\n"


def _first_line(notification: Notification) -> bytes:
    values = {name: getattr(notification, name) for name in NOTIFICATION_FIELDS}
    values["token"] = str(notification.token)
    return line(
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
    """SQL that gives number and line: of the deliveries, of their attempts."""
    deliveries, attempts = quoted_table(Delivery), quoted_table(Attempt)
    return (
        f"SELECT d.id, {_array('delivery', 'd', Delivery, DELIVERY_FIELDS)} "  # noqa: S608  names of the models
        f"FROM {deliveries} d WHERE d.notification_id = %s ORDER BY d.id",
        f"SELECT d.id, {_array('attempt', 'a', Attempt, ATTEMPT_FIELDS)} "  # noqa: S608  likewise
        f"FROM {deliveries} d JOIN {attempts} a ON a.delivery_id = d.id "
        "WHERE d.notification_id = %s ORDER BY d.id, a.number",
    )


def _array(kind: str, table: str, model: type[models.Model], names: list[str]) -> str:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return text_array(table, kind, [fields[name] for name in names])
