"""The filters above the lists: one form each, all of it in the address (GET).

A value that makes no sense gets a sentence beside its field and counts as not given.
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
    """A list that begins with "All"; without choices, the form fills them in."""

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
    """``active`` holds what is given and makes sense, by name of the parameter."""

    use_required_attribute = False
    # The word in the address is one that Python keeps for itself.
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
        """For lists that come from the database."""

    @classmethod
    def parameters(cls) -> list[str]:
        """The names in the address, in the order of the fields."""
        return [cls.PARAMETERS.get(name, name) for name in cls.base_fields]

    @property
    def query(self) -> str:
        """The filters as the query of an address, without "?"."""
        return urlencode(self.active)

    def given(self, name: str) -> Any:
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
