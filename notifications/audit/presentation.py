"""Entries of the audit trail in the reader's language: a sentence, and lines of details.

An entry may lack any value: older versions wrote less. A newer version may have written
a word that no event has: the word itself is shown.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from notifications.audit_log import EVENTS, Detail, Lines, Values
from notifications.ui import dates

SHOWN = 20  # of a list; the export has all of it


def sentence(word: str, values: Values) -> str:
    event = EVENTS.get(word)
    if event is None:
        return word
    named = _Named(values)
    named["n"] = _number(values.get(event.count))
    return str(event.sentence % named)


def lines(word: str, values: Values) -> list[str]:
    """The details, each as a line such as ``Note: the date is wrong``."""
    event = EVENTS.get(word)
    shown: list[str] = []
    for detail in event.details if event else ():
        if not isinstance(detail, Detail):
            shown += detail(values)
        elif (value := values.get(detail.key)) not in (None, "", [], {}, 0):
            shown.append(line(detail.label, _words(detail, value)))
    return shown


class _Named(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def _number(value: Any) -> int:
    """What is to be counted: a number, or how many there are in a list."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else 0


def changes(*fields: Detail) -> Lines:
    """What was changed, with its value before and after."""
    by_key = {field.key: field for field in fields}

    def changed(values: Values) -> Iterator[str]:
        before, after = values.get("before"), values.get("after")
        if not isinstance(before, dict) or not isinstance(after, dict):
            return
        # Of what was added or deleted, there is one side only.
        for key, value in (after or before).items():
            field = by_key.get(key)
            words = _words(field, value)
            if before and after:
                was = _words(field, before.get(key))
                words = _("%(before)s → %(after)s") % {"before": was, "after": words}
            yield line(field.label if field else key, words)

    return changed


def choice(words: Mapping[str, Any]) -> Callable[[Any], str]:
    """For the words of a ``Detail``: one of a few values, each with its own words."""
    return lambda value: str(words.get(value, value))


def moment(value: Any) -> str:
    """A time that was written as ISO 8601, in the reader's zone, which is named."""
    try:
        return dates.moment(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)


def line(label: Any, words: str) -> str:
    return _("%(label)s: %(value)s") % {"label": label, "value": words}


def _words(detail: Detail | None, value: Any) -> str:
    if detail is None or detail.words is None or not value:
        return _text(value)
    return detail.words(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        words = [_text(part) for part in value[:SHOWN]]
        more = len(value) - len(words)
        return ", ".join(words) + (f" … (+{more})" if more > 0 else "")
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(part)}" for key, part in value.items())
    return str(value)
