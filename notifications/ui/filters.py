"""Filter forms of the lists; all their values are in the query of the URL.

An invalid value gets an error at its field and is ignored.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)

OUT_OF_RANGE = _("Choose a day between 2000 and 2099.")

MAX_ID = 2**63 - 1

ALL = ("", _("All"))

NOT_IN_LIST = {"invalid_choice": _("“%(value)s” is not in this list.")}


class Search(forms.CharField):
    widget = forms.TextInput(attrs={"type": "search", "spellcheck": "false"})

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, required=False, max_length=100)


class Day(forms.DateField):
    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            error_messages={"invalid": _("There is no such day.")},
            validators=[
                MinValueValidator(FIRST_DAY, OUT_OF_RANGE),
                MaxValueValidator(LAST_DAY, OUT_OF_RANGE),
            ],
        )


class OneOf(forms.ChoiceField):
    """A select that begins with "All"; ``fill_choices`` may set its choices."""

    def __init__(self, label: Any, choices: Any = ()) -> None:
        super().__init__(
            label=label,
            required=False,
            choices=[ALL, *choices],
            error_messages=NOT_IN_LIST,
        )


class NotificationNumber(forms.IntegerField):
    def __init__(self) -> None:
        super().__init__(
            label=_("Notification no."),
            required=False,
            min_value=1,
            max_value=MAX_ID,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            error_messages={"invalid": _("Enter the number of a notification.")},
        )


class FilterForm(forms.Form):
    """``active`` maps parameters of the URL to their valid values."""

    use_required_attribute = False
    # Field to parameter: "from" is a keyword of Python.
    PARAMETERS: ClassVar = {"since": "from", "until": "to"}

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        self.fill_choices()
        self.full_clean()
        self.active = {
            self.add_prefix(name): str(value)
            for name, value in self.cleaned_data.items()
            if value not in ("", None)
        }

    def add_prefix(self, field_name: str) -> str:
        return self.PARAMETERS.get(field_name, field_name)

    def fill_choices(self) -> None:
        """Set the choices that come from the database."""

    @classmethod
    def parameters(cls) -> list[str]:
        """The names of the parameters, in the order of the fields."""
        return [cls.PARAMETERS.get(name, name) for name in cls.base_fields]

    @property
    def query(self) -> str:
        """The filters as the query of a URL, without "?"."""
        return urlencode(self.active)

    def value(self, name: str) -> Any:
        """The cleaned value; empty if it is missing or invalid."""
        return self.cleaned_data.get(name) or ""

    def day(self, name: str) -> date | None:
        return self.cleaned_data.get(name)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        return data

    def fill_senders(self, senders: Iterable[tuple[str, str]]) -> None:
        choices = [
            (name, f"{name} · {full}" if full else name) for name, full in senders
        ]
        self.set_choices("sender", choices)

    def set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [ALL, *choices]
