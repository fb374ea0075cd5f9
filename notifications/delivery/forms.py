"""The form of a schedule: the start, and the time after which no call may start."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from notifications.delivery.schedule import check_not_after, check_start
from notifications.ui.made_from import MadeFromForm


class Moment(forms.DateTimeField):
    """A time in the current time zone, in the format of ``datetime-local`` inputs."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
    )
    default_error_messages = {
        "invalid": gettext_lazy("Not a time. Write it like 2026-11-23 19:15.")
    }

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
            if moment is not None:
                timezone.localtime(moment)
        except OverflowError:
            # Year 1 or 9999 with an offset cannot be converted to another zone.
            raise forms.ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from None
        return moment


class ScheduleForm(forms.Form):
    """The start, and the time after which no call may start."""

    start = Moment(label=gettext_lazy("Start"))
    not_after = Moment(
        label=gettext_lazy("Not after"),
        required=False,
        help_text=gettext_lazy(
            "Groups that are still waiting then will not get it. Empty: no limit."
        ),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, not_after = data.get("start"), data.get("not_after")
        try:
            check_start(start)
            check_not_after(not_after, start)
        except forms.ValidationError as error:
            self.add_error(None, error)
        return data


class RescheduleForm(MadeFromForm, ScheduleForm):
    """Names a time that was changed after the page was shown."""

    is_change = True
