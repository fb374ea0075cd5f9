"""The forms that take a notification back, or correct its text.

The services check what is entered; their errors are shown beside the fields.
"""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from notifications.amendments.messages import Part
from notifications.amendments.services import Order
from notifications.groups.forms import GroupIds
from notifications.models import GroupType, Label, Notification
from notifications.models.notifications import NOTE_MAX_LENGTH
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.ui.fields import CheckboxListField
from notifications.ui.text import has_control

NEWEST, OLDEST = "newest", "oldest"


class NamesField(CheckboxListField):
    """Accepts any text: the service names an unknown one."""

    def valid_value(self, value: str) -> bool:
        return not has_control(value)


class AmendmentForm(forms.Form):
    """The part of the notification; ``token`` identifies the page, which starts one run."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    types = NamesField(label=_("Types"))
    labels = NamesField(
        label=_("Labels"), help_text=_("Groups that have one of these labels now.")
    )
    group_ids = GroupIds(
        label=_("Groups"),
        rows=2,
        help_text=_("Group IDs, one per line or separated by commas."),
    )

    def __init__(self, notification: Notification, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = notification.deliveries.order_by("group_type").values_list("group_type")
        types = [
            (name, f"{GroupType(name).label} ({count:,})")
            for name, count in rows.annotate(Count("pk"))
        ]
        names = list(Label.objects.values_list("name", flat=True))
        self._offer("types", types, least=2)
        self._offer("labels", [(name, name) for name in names], least=1)

    def _offer(self, name: str, choices: list[tuple[str, str]], *, least: int) -> None:
        """An unknown value stays ticked, so that a form never silently means more groups."""
        known = {value for value, _label in choices}
        unknown = [one for one in self[name].value() or () if one not in known]
        choices = [*choices, *((one, one) for one in unknown)]
        field = self.fields[name]
        field.choices = choices  # type: ignore[attr-defined]  # a ChoiceField
        if len(choices) < least:
            field.widget = forms.MultipleHiddenInput()

    @property
    def part(self) -> Part:
        """What is entered; all groups while the form is not valid."""
        data = self.cleaned_data if self.is_bound and self.is_valid() else {}
        return Part(
            types=data.get("types", ()),
            labels=data.get("labels", ()),
            group_ids=data.get("group_ids", ()),
        )

    @property
    def names_part(self) -> bool:
        """Whether the fields of the part are not empty, or wrong."""
        fields = ("types", "labels", "group_ids")
        return any(self[name].value() or self[name].errors for name in fields)


class RecallForm(AmendmentForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,  # the service has a better sentence
        widget=forms.TextInput(
            attrs={
                "class": "vTextField",
                "data-max-bytes": GroupMsgRecall.MAX_REASON_BYTES,
            }
        ),
        help_text=_(
            "Members may see it in place of the message, for example “wrong date”."
        ),
    )
    first = forms.ChoiceField(
        label=_("Start with"),
        choices=[
            (NEWEST, _("the groups that got it last")),
            (OLDEST, _("the groups that got it first")),
        ],
        initial=NEWEST,
        required=False,
        widget=forms.RadioSelect,
    )

    @property
    def order(self) -> Order:
        data = self.cleaned_data
        return Order(newest_first=data["first"] != OLDEST, token=data["token"])


class CorrectionForm(AmendmentForm):
    content = forms.CharField(
        label=_("New text"),
        required=False,  # the service has a better sentence
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("It replaces the text; an image and other parts stay."),
    )
    note = forms.CharField(
        label=_("Note for the history"),
        required=False,
        widget=forms.TextInput(
            attrs={"class": "vTextField", "maxlength": NOTE_MAX_LENGTH}
        ),
        help_text=_("Only your team sees this, for example a ticket number."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        content = self.fields["content"].widget
        content.attrs["data-max-bytes"] = settings.IM_CONTENT_MAX_BYTES

    @property
    def order(self) -> Order:
        return Order(token=self.cleaned_data["token"])
