"""The form of the Write page. The rules themselves are in services.writing."""

import uuid
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.models import Notification
from notifications.models.notifications import NOTE_MAX_LENGTH
from notifications.services.entered_ids import split_ids
from notifications.services.meant_groups import NOT_FOR_EVERY
from notifications.services.writing import Draft, check_draft

from .choice import EVERY, ChoiceForm, choice_fields, initial_of_choice

CHECK_MEMBERS = HTML('{% include "notifications/_check_members.html" %}')


class WriteForm(ChoiceForm):
    """What a manager writes. Valid → ``draft`` is ready for ``save_draft``."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    recipients = forms.CharField(
        label=_("Member IDs"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=_(
            "One per line, or separated by commas. Up to 500; more than 50 go out in "
            "several calls."
        ),
    )
    content = forms.CharField(
        label=_("Message"),
        required=False,  # check_draft says it better
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Plain text. Members see it as a system message in the chat."),
    )
    note = forms.CharField(
        label=_("Note for the history"),
        required=False,
        widget=forms.TextInput(attrs={"maxlength": NOTE_MAX_LENGTH}),
        help_text=_("Only your team sees this, for example a ticket number."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        content = self.fields["content"].widget
        content.attrs["data-max-bytes"] = settings.IM_CONTENT_MAX_BYTES
        self.draft: Draft | None = None
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            "token",
            *choice_fields(CHECK_MEMBERS),
            Fieldset(_("Message"), "content"),
            Fieldset(_("For your team"), "note"),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.errors:
            return data
        kind, values = self.choice()
        is_named = self.is_named
        if is_named and kind == EVERY:
            self.add_error("members", NOT_FOR_EVERY)
            is_named = False  # said already
        try:
            self.draft = check_draft(
                Draft(
                    content=data["content"],
                    audience=kind,
                    audience_values=values,
                    recipients=split_ids(data["recipients"]) if is_named else None,
                    note=data["note"],
                    token=data["token"],
                )
            )
        except ValidationError as error:
            self.add_error(None, error)
        return data


def initial_of(notification: Notification) -> dict[str, Any]:
    """The form's values for a draft that is edited."""
    return initial_of_choice(notification) | {
        "token": notification.token,
        "members": "named" if notification.recipients else "everyone",
        "recipients": notification.recipients,
        "content": notification.content,
        "note": notification.note,
    }
