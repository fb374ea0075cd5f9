"""The options of a group message in words, for the form, Check and the history."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.tencent.message_options import MessageOptions

LABELS: dict[str, Any] = {
    "from_account": gettext_lazy("Sender account"),
    "mention_all": gettext_lazy("Mention everyone (@all)"),
    "priority": gettext_lazy("Priority"),
    "online_only": gettext_lazy("Only members who are online"),
    "no_unread": gettext_lazy("Do not count it as unread"),
    "no_last_message": gettext_lazy("Do not show it as the last message of the chat"),
    "push": gettext_lazy("Push it to the phones of members who are offline"),
    "push_title": gettext_lazy("Title of the push"),
    "push_text": gettext_lazy("Text of the push"),
    "image_url": gettext_lazy("URL of an image"),
    "image_width": gettext_lazy("Width of the image in pixels"),
    "image_height": gettext_lazy("Height of the image in pixels"),
    "custom_data": gettext_lazy("Custom data for your app (JSON)"),
}

# Tencent sends the first of several messages above its limit of 40 a second and group.
PRIORITIES: dict[str, Any] = {
    "High": gettext_lazy("High"),
    "Normal": gettext_lazy("Normal"),
    "Low": gettext_lazy("Low"),
}


def option_lines(options: MessageOptions) -> list[tuple[str, str]]:
    """Label and value of each option that differs from its default."""
    changed = options.as_json()
    return [
        (str(label), _in_words(name, changed[name]))
        for name, label in LABELS.items()
        if name in changed
    ]


def _in_words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name == "priority":
        return str(PRIORITIES.get(str(value), value))
    return str(value)
