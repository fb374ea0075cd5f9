"""The forms for drafts; that of the Write page enforces the all-member rule of types."""

import uuid
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset, Layout
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from notifications.audiences.audience import (
    Values,
    count_all_groups,
    saved_audience_counts,
)
from notifications.audiences.forms import RULE_FIELDS, RuleFields, initial_of_rule
from notifications.audiences.validation import NOT_FOR_EVERY
from notifications.compose.message_form import (
    MessageFields,
    initial_of_options,
)
from notifications.compose.services.drafts import Draft, check_draft
from notifications.groups.forms import GroupIds
from notifications.models import Notification, Rule
from notifications.models.notifications import NOTE_MAX_LENGTH
from notifications.ui.fields import ConditionalFieldset
from notifications.ui.text import split_ids

Kind = Notification.Audience

CHOSEN, RULE, SAVED, EVERY = (
    Kind.CHOSEN.value,
    Kind.RULE.value,
    Kind.SAVED.value,
    Kind.EVERY.value,
)


# What the only channel means, and why the other one is not offered.
ONLY_CHANNEL = HTML(
    "{% with channel=form.only_channel %}{% if channel %}"
    '<p class="form-row">{{ channel.word.label }} '
    '<span class="sub">{{ channel.description }}</span></p>'
    "{% endif %}{% endwith %}"
    "{% for sentence in form.refusals.values %}"
    '<p class="form-row sub">{{ sentence }}</p>'
    "{% endfor %}"
)


class ChoiceForm(MessageFields, RuleFields):
    """``choice()`` returns the chosen audience once the form is valid.

    Fields of a kind of audience that is not selected are ignored.
    """

    audience = forms.ChoiceField(
        label=_("Send to"),
        choices=[
            (CHOSEN, _("Groups I choose")),
            (RULE, _("Groups by type, label or name")),
            (SAVED, _("A saved audience")),
            (EVERY, _("Every group")),
        ],
        initial=CHOSEN,
        widget=forms.RadioSelect,
    )
    groups = GroupIds(
        label=_("Groups"),
        rows=4,
        help_text=_(
            "One group ID per line, or separated by commas. You can also tick groups "
            "on the page Groups."
        ),
    )
    # No ChoiceField: check_audience has a better message for a deleted audience.
    saved = forms.CharField(
        label=_("Audience"), required=False, widget=forms.Select(choices=[])
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

    def show_counts(self) -> None:
        """Add the number of included groups to the choices; two queries."""
        kinds = dict(self.fields["audience"].choices)  # type: ignore[attr-defined]  # a ChoiceField
        kinds[EVERY] = _("Every group (%(n)s)") % {"n": f"{count_all_groups():,}"}
        self.fields["audience"].choices = list(kinds.items())  # type: ignore[attr-defined]  # a ChoiceField
        counts = saved_audience_counts()
        # A deleted audience stays chosen and is refused.
        if (name := self["saved"].value()) and name not in counts:
            counts[name] = 0
        first = _("Choose an audience") if counts else _("No audience is saved yet")
        self.fields["saved"].widget.choices = [
            ("", first),
            *((name, f"{name} ({count:,})") for name, count in counts.items()),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("audience") != RULE:
            for name in RULE_FIELDS:
                self.errors.pop(name, None)
        return data

    @property
    def names_members(self) -> bool:
        return bool(self.cleaned_data["members"] == "named")

    def choice(self) -> tuple[str, Values]:
        """The kind of audience and its values, as ``Notification`` stores them.

        Not validated: ``check_draft`` does that.
        """
        data = self.cleaned_data
        kind: str = data["audience"]
        values: Values = []
        if kind == CHOSEN:
            values = data["groups"]
        elif kind == RULE:
            values = self.entered_rule().as_json()
        elif kind == SAVED:
            values = [data["saved"]] if data["saved"] else []
        return kind, values


class WriteForm(ChoiceForm):
    """The form of the Write page; a valid form has a ``draft`` for ``save_draft``."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0, required=False)
    recipients = forms.CharField(
        label=_("Member IDs"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=_(
            "One per line, or separated by commas. Up to 500 in a system notification, "
            "where more than 50 go out in several calls; up to 50 in a group message."
        ),
    )
    content = forms.CharField(
        label=_("Message"),
        required=False,  # check_draft has a better message
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Plain text."),
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
        self.offer_channels()
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            "token",
            "version",
            Fieldset(
                _("Groups"),
                "audience",
                ConditionalFieldset("audience", CHOSEN, "groups"),
                ConditionalFieldset("audience", RULE, *RULE_FIELDS),
                ConditionalFieldset("audience", SAVED, "saved"),
            ),
            Fieldset(
                _("Members"),
                "members",
                ConditionalFieldset(
                    "members",
                    "named",
                    "recipients",
                    HTML('{% include "notifications/compose/_check_members.html" %}'),
                ),
            ),
            Fieldset(_("Message"), "channel", ONLY_CHANNEL, "content"),
            self.options_layout(),
            Fieldset(_("For your team"), "note"),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.errors:
            return data
        kind, values = self.choice()
        channel, options = self.message()
        names_members = self.names_members
        if names_members and kind == EVERY:
            self.add_error("members", NOT_FOR_EVERY)
            names_members = False  # avoids a second error
        try:
            self.draft = check_draft(
                Draft(
                    content=data["content"],
                    audience=kind,
                    audience_values=values,
                    recipients=split_ids(data["recipients"]) if names_members else None,
                    note=data["note"],
                    channel=channel,
                    options=options,
                    token=data["token"],
                    version=data["version"] or 0,
                )
            )
        except ValidationError as error:
            self.add_error(None, error)
        return data


class DraftVersionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)


class HandOverForm(DraftVersionForm):
    to = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Colleague"),
        empty_label=_("Choose a colleague"),
        help_text=_("Only people who may send are listed."),
    )

    def __init__(self, *args: Any, receivers: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        to.queryset = receivers  # type: ignore[attr-defined]  # a ModelChoiceField
        to.label_from_instance = _name_of  # type: ignore[attr-defined]  # likewise


def _name_of(user: User) -> str:
    full_name = user.get_full_name()
    return f"{user.get_username()} ({full_name})" if full_name else user.get_username()


def initial_of(notification: Notification) -> dict[str, Any]:
    """Initial values of the form for a draft."""
    initial: dict[str, Any] = {
        "audience": notification.audience,
        "token": notification.token,
        "version": notification.version,
        "members": "named" if notification.recipients else "everyone",
        "recipients": notification.recipients,
        "content": notification.content,
        "note": notification.note,
        "channel": notification.channel,
        **initial_of_options(notification.options),
    }
    values = notification.audience_values
    match notification.audience:
        case Kind.CHOSEN:
            initial["groups"] = list(values)
        case Kind.RULE:
            initial |= initial_of_rule(Rule.from_json(values))
        case Kind.SAVED:
            initial["saved"] = "".join(values)
    return initial
