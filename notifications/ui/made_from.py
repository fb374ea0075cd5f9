"""Forms that refuse to act on what others changed after the form was shown."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FIELD = "made_from"

# The field of a form that only confirms: the ``fingerprint`` of what its page shows.
SHOWN = "shown"


class ChangedSinceShown(ValidationError):
    """The page of the form showed another state; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            _("This has changed since the page was shown. Look again, then confirm.")
        )


def fingerprint(*values: Any) -> str:
    """A text that is another one as soon as one of the values is."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_old_page(shown: str | None, *values: Any) -> None:
    """Raise ``ChangedSinceShown`` unless the page showed these values.

    Call it under the lock of the row. ``shown`` is ``None`` without a page.
    """
    if shown is not None and shown != fingerprint(*values):
        raise ChangedSinceShown


class MadeFromForm(forms.Form):
    """A form of an existing row; it carries the values of the row that it was made from.

    A field whose value in the row differs from that copy was changed meanwhile, by a
    colleague or by a sync: it gets an error that names both values. The form is then
    made from the new values, so that saving it once more overwrites them knowingly.

    The initial values must be those of the row, read under the lock that is held until
    the row is saved. Set ``is_change`` before ``is_valid``; templates render
    ``made_from``.
    """

    made_from = forms.CharField(required=False, widget=forms.HiddenInput)

    is_change = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial[FIELD] = json.dumps(self._row_values())

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.is_change:
            self._refuse_overwriting()
        return data

    def _refuse_overwriting(self) -> None:
        made_from = _parse(self.data.get(self.add_prefix(FIELD), ""))
        row_values = self._row_values()
        for name, after in row_values.items():
            before = made_from.get(name)
            if before == after or self._entered(name) == after:
                continue
            self.add_error(
                name,
                _(
                    "Changed meanwhile from “%(before)s” to “%(after)s”. Look again; to "
                    "keep your value, save once more."
                )
                % {
                    "before": self._display(name, before),
                    "after": self._display(name, after),
                },
            )
        data: Any = self.data
        data = data.copy()
        data[self.add_prefix(FIELD)] = json.dumps(row_values)
        self.data = data

    def _row_values(self) -> dict[str, Any]:
        return {
            name: _plain(field.prepare_value(self.get_initial_for_field(field, name)))
            for name, field in self.fields.items()
            if name in self.initial and name != FIELD and not field.disabled
        }

    def _entered(self, name: str) -> Any:
        """The entered value, comparable with the row; ``None`` if it is invalid."""
        if name not in self.cleaned_data:
            return None
        return _plain(self.fields[name].prepare_value(self.cleaned_data[name]))

    def _display(self, name: str, value: Any) -> str:
        choices = getattr(self.fields[name], "choices", ())
        labels = {str(getattr(key, "value", key)): str(text) for key, text in choices}
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        values = value if isinstance(value, list) else [value]
        texts = [
            labels.get(str(one), str(one)) for one in values if one not in (None, "")
        ]
        return ", ".join(texts) or "–"


def _parse(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _plain(value: Any) -> Any:
    """The value as JSON has it; lists have no order."""
    if isinstance(value, bool):
        return value
    if value is None:
        return ""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return sorted(map(str, value))
    return str(value).replace("\r\n", "\n")
