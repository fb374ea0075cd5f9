"""Entries of the audit trail in the active language: a sentence and lines of details.

Entries of older versions may lack any value. A word of a newer version without an event
is shown as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from notifications.audit_log import EVENTS, Detail, Lines, Values
from notifications.ui import dates

MAX_ITEMS = 20  # of a list on pages; the export has all


def sentence(word: str, values: Values) -> str:
    event = EVENTS.get(word)
    if event is None:
        return word
    count = values.get(event.count)
    if isinstance(count, list):
        count = len(count)
    arguments = _SentenceArguments(values, n=count if isinstance(count, int) else 0)
    return str(event.sentence % arguments)


def lines(word: str, values: Values) -> list[str]:
    """The details, each as a line such as ``Note: the date is wrong``."""
    event = EVENTS.get(word)
    shown: list[str] = []
    for detail in event.details if event else ():
        if not isinstance(detail, Detail):
            shown += detail(values)
        elif (value := values.get(detail.key)) not in (None, "", [], {}, 0):
            shown.append(line(detail.label, _display(detail, value)))
    return shown


class _SentenceArguments(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def changes(*fields: Detail) -> Lines:
    """Lines for the changed fields, with their values before and after."""
    by_key = {field.key: field for field in fields}

    def changed(values: Values) -> Iterator[str]:
        before, after = values.get("before"), values.get("after")
        if not isinstance(before, dict) or not isinstance(after, dict):
            return
        # Only one of the two has values for an added or deleted object.
        for key, value in (after or before).items():
            field = by_key.get(key)
            text = _display(field, value)
            if before and after:
                old = _display(field, before.get(key))
                text = _("%(before)s → %(after)s") % {"before": old, "after": text}
            yield line(field.label if field else key, text)

    return changed


def choice(labels: Mapping[str, Any]) -> Callable[[Any], str]:
    """The ``display`` of a ``Detail`` whose value is one of a few, with labels."""
    return lambda value: str(labels.get(value, value))


def moment(value: Any) -> str:
    """A time in ISO 8601, in the active time zone, with the name of the zone."""
    try:
        return dates.moment(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)


def line(label: Any, text: str) -> str:
    return _("%(label)s: %(value)s") % {"label": label, "value": text}


def _display(detail: Detail | None, value: Any) -> str:
    if detail is None or detail.display is None or not value:
        return _text(value)
    return detail.display(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        items = [_text(item) for item in value[:MAX_ITEMS]]
        more = len(value) - len(items)
        return ", ".join(items) + (f" … (+{more})" if more > 0 else "")
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)
