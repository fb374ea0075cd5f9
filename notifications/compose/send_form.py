"""The forms of the Check page and of the page Send again."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.compose.services.send import SendTimes
from notifications.delivery.forms import ScheduleForm

NOW, LATER = "now", "later"


class SendForm(ScheduleForm):
    """``digest`` and ``shown`` are those of ``Checked``, as the page showed it."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
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
            # The field is hidden, so that its value and errors are ignored.
            self.cleaned_data["start"] = None
            self.errors.pop("start", None)
        elif not self.cleaned_data.get("start") and "start" not in self.errors:
            self.add_error("start", _("Choose the time of the start, or pick “Now”."))
        return super().clean()

    @property
    def when(self) -> SendTimes:
        return SendTimes(self.cleaned_data["start"], self.cleaned_data["not_after"])


class ResendForm(ScheduleForm):
    """``digest`` identifies what the page showed, ``token`` the form: it sends once."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    token = forms.UUIDField(
        widget=forms.HiddenInput, required=False, initial=uuid.uuid4
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["start"]  # it starts at once
