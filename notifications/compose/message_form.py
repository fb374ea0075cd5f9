"""The fields of the Write page for the channel and the options of a message."""

from dataclasses import asdict, fields
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from notifications.delivery.capabilities import default_of, refusals
from notifications.delivery.channels import CHANNELS, WRITABLE
from notifications.delivery.channels.base import Channel
from notifications.delivery.option_labels import LABELS, PRIORITIES
from notifications.tencent.message_options import MAX_PIXELS, MessageOptions
from notifications.ui.fields import ConditionalFieldset, FoldedFieldset

DEFAULTS = MessageOptions()
OPTIONS = [option.name for option in fields(MessageOptions)]


def _text(name: str, help_text: Any = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "vTextField", **attrs})
    return forms.CharField(
        label=LABELS[name], required=False, widget=widget, help_text=help_text
    )


def _tick(name: str, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(
        label=LABELS[name],
        required=False,
        initial=getattr(DEFAULTS, name),
        help_text=help_text,
    )


def _pixels(name: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=LABELS[name], required=False, min_value=0, max_value=MAX_PIXELS
    )


class MessageFields(forms.Form):
    """A mixin: ``message()`` returns the channel and the options once the form is valid.

    Each option has the name of its field in ``MessageOptions``. Without JavaScript, the
    options are shown for every channel; a channel that has none ignores them.
    """

    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=[(word, channel.word.label) for word, channel in WRITABLE.items()],
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("“%(value)s” is not a channel.")},
    )
    from_account = _text(
        "from_account",
        _(
            "The user ID that members see as the sender. Empty: the administrator of "
            "the application."
        ),
        autocapitalize="off",
        spellcheck="false",
        autocomplete="off",
    )
    mention_all = _tick("mention_all", _("Not in live rooms."))
    priority = forms.ChoiceField(
        label=LABELS["priority"],
        choices=list(PRIORITIES.items()),
        required=False,
        initial=DEFAULTS.priority,
        help_text=_(
            "If a group gets more than 40 messages a second, Tencent drops low ones first."
        ),
    )
    online_only = _tick(
        "online_only",
        _("Tencent does not keep it, and does not push it. Not in live rooms."),
    )
    no_unread = _tick("no_unread", _("Not in chat rooms and live rooms."))
    no_last_message = _tick("no_last_message", _("Not in live rooms."))
    push = _tick("push")
    push_title = _text("push_title")
    push_text = _text("push_text", _("Empty: the message itself."))
    image_url = _text("image_url", _("Shown below the text."), inputmode="url")
    image_width = _pixels("image_width")
    image_height = _pixels("image_height")
    custom_data = forms.CharField(
        label=LABELS["custom_data"],
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=_("Sent with the text, for apps that display it themselves."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusals = refusals()
        offered = [c for word, c in WRITABLE.items() if word not in self.refusals]
        self._default = default_of(offered)
        self.fields["channel"].initial = self._default

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # Missing in a page that was open during an update.
        if "channel" not in self.errors:
            data["channel"] = data.get("channel") or self._default
            if not CHANNELS[data["channel"]].has_options:
                for name in OPTIONS:
                    self.errors.pop(name, None)
        return data

    def message(self) -> tuple[str, MessageOptions]:
        """Not validated: ``check_draft`` does that."""
        channel: str = self.cleaned_data["channel"]
        if not CHANNELS[channel].has_options:
            return channel, DEFAULTS
        # An empty field has the default.
        values = {
            name: getattr(DEFAULTS, name) if value in (None, "") else value
            for name, value in self.cleaned_data.items()
            if name in OPTIONS
        }
        return channel, MessageOptions(**values)

    def shown_channels(self) -> list[Channel]:
        """The channels that the application may use, and the one that is chosen."""
        present = self["channel"].value()
        return [
            channel
            for word, channel in WRITABLE.items()
            if word not in self.refusals or word == present
        ]

    def only_channel(self) -> Channel | None:
        shown = self.shown_channels()
        return shown[0] if len(shown) == 1 else None

    def offer_channels(self) -> None:
        """Show the choice only if there is one."""
        shown = self.shown_channels()
        field = self.fields["channel"]
        if len(shown) == 1:
            field.widget = forms.HiddenInput()
            return
        field.choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (
                channel.word.value,
                format_html(
                    '<span>{} <span class="sub">{}</span></span>',
                    channel.word.label,
                    channel.description,
                ),
            )
            for channel in shown
        ]

    def options_layout(self) -> Layout:
        """The options, folded away; nothing if the only channel has none."""
        shown = self.shown_channels()
        words = [channel.word.value for channel in shown if channel.has_options]
        if not words:
            return Layout()
        options = FoldedFieldset(_("Options for group messages"), *OPTIONS)
        if len(shown) == 1:
            return options
        return ConditionalFieldset("channel", " ".join(words), options)


def initial_of_options(options: MessageOptions) -> dict[str, Any]:
    """Initial values of the form; a size of 0 is an empty field."""
    values = asdict(options)
    return {
        name: "" if value == 0 and value is not False else value
        for name, value in values.items()
    }
