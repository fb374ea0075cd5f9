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
from notifications.services.entered_ids import split_group_ids, split_ids
from notifications.services.writing import Draft, check_draft

from .layout import Reveals

CHOSEN = Notification.Audience.CHOSEN.value
EVERY = Notification.Audience.EVERY.value
IDS = {"rows": 4, "spellcheck": "false", "autocapitalize": "off"}
CHECK_MEMBERS = HTML('{% include "notifications/_check_members.html" %}')
NOT_FOR_EVERY = _(
    "To name members, choose the groups instead of sending to every group."
)


class WriteForm(forms.Form):
    """What a manager writes. Valid → ``draft`` is ready for ``save_draft``."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    audience = forms.ChoiceField(
        label=_("Send to"),
        choices=[(CHOSEN, _("Groups I choose")), (EVERY, _("Every group"))],
        initial=CHOSEN,
        widget=forms.RadioSelect,
    )
    # One field of IDs: Django limits the number of fields, not their length.
    # With JavaScript, picker.js puts a search field with chips in its place.
    groups = forms.CharField(
        label=_("Groups"),
        required=False,
        widget=forms.Textarea(attrs=IDS),
        help_text=_(
            "One group ID per line, or separated by commas. You can also tick groups "
            "on the page Groups."
        ),
    )
    members = forms.ChoiceField(
        label=_("Who in the groups"),
        choices=[
            ("everyone", _("Everyone in the group")),
            ("named", _("Only certain members")),
        ],
        initial="everyone",
        widget=forms.RadioSelect,
    )
    recipients = forms.CharField(
        label=_("Member IDs"),
        required=False,
        widget=forms.Textarea(attrs=IDS),
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

    def __init__(
        self, *args: Any, every_count: int | None = None, **kwargs: Any
    ) -> None:
        """``every_count``: how many groups "Every group" means, for its label."""
        super().__init__(*args, **kwargs)
        if every_count is not None:
            every = _("Every group (%(n)d)") % {"n": every_count}
            chosen = self.fields["audience"].choices[0]  # type: ignore[attr-defined]  # a ChoiceField
            self.fields["audience"].choices = [chosen, (EVERY, every)]  # type: ignore[attr-defined]  # a ChoiceField
        content = self.fields["content"].widget
        content.attrs["data-max-bytes"] = settings.IM_CONTENT_MAX_BYTES
        self.draft: Draft | None = None
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            "token",
            Fieldset(_("Groups"), "audience", Reveals("audience", CHOSEN, "groups")),
            Fieldset(
                _("Members"),
                "members",
                Reveals("members", "named", "recipients", CHECK_MEMBERS),
            ),
            Fieldset(_("Message"), "content"),
            Fieldset(_("For your team"), "note"),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        named = data["members"] == "named"
        if named and data["audience"] == EVERY:
            self.add_error("members", NOT_FOR_EVERY)
            named = False  # said already
        try:
            self.draft, _meant = check_draft(
                Draft(
                    content=data["content"],
                    audience=data["audience"],
                    audience_values=(
                        split_group_ids(data["groups"])
                        if data["audience"] == CHOSEN
                        else []
                    ),
                    recipients=split_ids(data["recipients"]) if named else None,
                    note=data["note"],
                    token=data["token"],
                )
            )
        except ValidationError as error:
            self.add_error(None, error)
        return data


def initial_of(notification: Notification) -> dict[str, Any]:
    """The form's values for a draft that is edited."""
    return {
        "token": notification.token,
        "audience": notification.audience,
        "groups": "\n".join(notification.audience_values),
        "members": "named" if notification.recipients else "everyone",
        "recipients": notification.recipients,
        "content": notification.content,
        "note": notification.note,
    }
