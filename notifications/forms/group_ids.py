"""A field for the IDs of several chat groups."""

from typing import Any

from django import forms

from notifications.services.entered_ids import split_group_ids


class GroupIds(forms.CharField):
    """IDs with any separator; shown again with one on each line.

    One field: Django limits the number of fields, not their length. On pages with
    picker.js a search field with chips takes its place.
    """

    widget = forms.Textarea

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.widget.attrs |= {
            "rows": rows,
            "spellcheck": "false",
            "autocapitalize": "off",
            "data-picker": "",
        }

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list
        return split_group_ids(super().to_python(value) or "")

    def prepare_value(self, value: Any) -> str:
        ids = split_group_ids(value) if isinstance(value, str) else value or []
        return "\n".join(ids)
