"""The form of the Check page: whether, and when, to send."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.services.sending import When
from notifications.services.times import check_not_after, check_start

NOW = "now"
LATER = "later"


class Moment(forms.DateTimeField):
    """A time in the present time zone, as browsers' own date pickers post it."""

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
            # The year 1 or 9999 with an offset has no time of day in another zone.
            raise forms.ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from None
        return moment


class ScheduleForm(forms.Form):
    """When a send starts, and until when calls may start."""

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


class SendForm(ScheduleForm):
    """``digest`` is the audience that the page showed."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    moment = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (NOW, gettext_lazy("Now")),
            (LATER, gettext_lazy("At a time that I choose")),
        ],
        initial=NOW,
        required=False,
        widget=forms.RadioSelect,
    )
    sure = forms.BooleanField()

    def __init__(
        self, *args: Any, count: int, must_confirm: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["start"].required = False
        if not must_confirm:
            del self.fields["sure"]
            return
        sure = self.fields["sure"]
        sure.label = ngettext(
            "I want to send this to %(n)d group",
            "I want to send this to %(n)d groups",
            count,
        ) % {"n": count}
        sure.error_messages["required"] = ngettext(
            "Tick the box: this goes to %(n)d group.",
            "Tick the box: this goes to %(n)d groups.",
            count,
        ) % {"n": count}

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("moment") != LATER:
            # What stands in a field that is not meant does no harm.
            self.cleaned_data["start"] = None
            self.errors.pop("start", None)
        elif not self.cleaned_data.get("start") and "start" not in self.errors:
            self.add_error("start", _("Choose the time of the start, or pick “Now”."))
        return super().clean()

    @property
    def when(self) -> When:
        return When(self.cleaned_data["start"], self.cleaned_data["not_after"])
