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
from typing import Any

from django.db import connection, models

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
    read = _copied if connection.vendor == "postgresql" else _selected
    for query in _queries():
        found = read(query, notification.pk)
        while block := list(islice(found, BLOCK)):
            yield from block
            pause()


def sealed_text(notification: Notification) -> Iterator[bytes]:
    """The whole text, line by line."""
    return (line for _number, line in rows(notification))


def rows_of_file(lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a text that was written to a file.

    Raises ``ValueError`` for a line that is no row.
    """
    for number, text in enumerate(lines):
        yield (0 if number == 0 else int(json.loads(text)[1])), text


def plain_time(moment: datetime | None) -> str | None:
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
                name: plain_time(value) if isinstance(value, datetime) else value
                for name, value in values.items()
            },
            "delivery": DELIVERY_FIELDS,
            "attempt": ATTEMPT_FIELDS,
        }
    )


def _selected(query: str, notification: int) -> Iterator[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, [notification])
        while found := cursor.fetchmany(BLOCK):
            for number, text in found:
                yield number, text.encode() + b"\n"


def _copied(query: str, notification: int) -> Iterator[Row]:
    """COPY lets the server write the next lines while we digest these."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT", [notification]) as copy,
    ):
        for data in copy:
            number, _tab, text = bytes(data).partition(b"\t")
            # COPY doubles each backslash; JSON has nothing else to escape.
            yield int(number), text.replace(b"\\\\", b"\\")


def _queries() -> tuple[str, str]:
    """SQL that gives number and line: of the deliveries, of their attempts."""
    quote = connection.ops.quote_name
    deliveries = quote(Delivery._meta.db_table)
    attempts = quote(Attempt._meta.db_table)
    return (
        f"SELECT d.id, {_array('delivery', 'd', Delivery, DELIVERY_FIELDS)} "  # noqa: S608  names of the models
        f"FROM {deliveries} d WHERE d.notification_id = %s ORDER BY d.id",
        f"SELECT d.id, {_array('attempt', 'a', Attempt, ATTEMPT_FIELDS)} "  # noqa: S608  likewise
        f"FROM {deliveries} d JOIN {attempts} a ON a.delivery_id = d.id "
        "WHERE d.notification_id = %s ORDER BY d.id, a.number",
    )


def _array(kind: str, table: str, model: type[models.Model], names: list[str]) -> str:
    """SQL for the line of a row: a JSON array of texts without spaces, its kind first."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    cells = ", ".join(_cell(table, fields[name]) for name in names)
    if connection.vendor == "postgresql":
        return f"array_to_json(ARRAY['{kind}', {cells}])::text"
    return f"json_array('{kind}', {cells})"


def _cell(table: str, field: "models.Field[Any, Any]") -> str:
    column = f"{table}.{connection.ops.quote_name(field.column)}"
    if isinstance(field, models.DateTimeField):
        if connection.vendor == "postgresql":
            # Django keeps the connection in UTC: what is cut off is "+00".
            return f"left({column}::text, -3) || 'Z'"
        # Stored with six digits behind the second, or with none.
        text = (
            f"CASE length({column}) WHEN 19 THEN {column} ELSE rtrim({column}, '0') END"
        )
        return f"({text}) || 'Z'"
    if isinstance(field, models.CharField | models.TextField):
        return column
    return f"CAST({column} AS text)"
