"""Checks of the channel and the options of a message, with a sentence for each problem.

``check_draft`` and ``send`` call them: what an application may do changes with a probe.
"""

import json

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.delivery.capabilities import why_no_named_members, why_not
from notifications.delivery.channels import CHANNELS
from notifications.delivery.option_labels import LABELS
from notifications.models import Notification
from notifications.tencent.message_options import (
    MAX_MESSAGE_BYTES,
    Conflict,
    MessageOptions,
    conflicts,
    message_bytes,
)
from notifications.ui.text import has_control

SENTENCES: dict[tuple[str, Conflict], Promise] = {
    ("from_account", Conflict.INVALID): gettext_lazy(
        "Not a user ID: it has 1 to 32 letters, digits and signs, without spaces."
    ),
    ("priority", Conflict.INVALID): gettext_lazy("Choose one of High, Normal and Low."),
    ("mention_all", Conflict.NAMED_MEMBERS): gettext_lazy(
        "A message to certain members cannot mention everyone. Clear this option, or "
        "pick “Everyone in the group”."
    ),
    ("no_unread", Conflict.ONLINE_ONLY): gettext_lazy(
        "A message for online members only is never counted as unread. Clear one of the "
        "two options."
    ),
    ("no_last_message", Conflict.ONLINE_ONLY): gettext_lazy(
        "A message for online members only is never the last one of the chat. Clear one "
        "of the two options."
    ),
    ("push_title", Conflict.ONLINE_ONLY): gettext_lazy(
        "A message for online members only is not pushed. Remove the title, or clear "
        "“Only members who are online”."
    ),
    ("push_text", Conflict.ONLINE_ONLY): gettext_lazy(
        "A message for online members only is not pushed. Remove the text, or clear "
        "“Only members who are online”."
    ),
    ("push_title", Conflict.PUSH_OFF): gettext_lazy(
        "The push is off. Remove its title, or switch the push on."
    ),
    ("push_text", Conflict.PUSH_OFF): gettext_lazy(
        "The push is off. Remove its text, or switch the push on."
    ),
    ("image_url", Conflict.INVALID): gettext_lazy(
        "Not the URL of an image: it starts with https:// or http:// and has no spaces."
    ),
    ("image_url", Conflict.REQUIRED): gettext_lazy(
        "Enter the URL of the image, or remove its size."
    ),
    ("image_width", Conflict.REQUIRED): gettext_lazy(
        "Enter the width and the height of the image in pixels, from 1 to 100,000."
    ),
    ("custom_data", Conflict.INVALID): gettext_lazy(
        "This is not JSON. Correct it, for example in the editor it comes from."
    ),
}


def check_channel(word: str) -> None:
    """Raise ``ValidationError`` if the application may not use the channel."""
    if sentence := why_not(CHANNELS[word]):
        raise ValidationError({"channel": sentence})


def check_options(
    word: str, options: MessageOptions, *, names_members: bool, text: str
) -> None:
    """Raise ``ValidationError`` by field; ``text`` counts towards the limit of size."""
    channel = CHANNELS[word]
    problems: dict[str, list[str]] = {}
    if names_members and (sentence := why_no_named_members(channel)):
        problems["recipients"] = [sentence]
    if not channel.has_options:
        if used := options.as_json():
            problems["channel"] = [
                _("The channel “%(channel)s” has no such options: %(options)s.")
                % {
                    "channel": channel.word.label,
                    "options": ", ".join(str(LABELS[name]) for name in used),
                }
            ]
    elif unusable := _with_control(options):
        problems |= unusable
    else:
        for field, conflict in conflicts(
            options, named_members=names_members, text=text
        ):
            sentence = _sentence(field, conflict, options, text)
            problems.setdefault(field, []).append(sentence)
    if problems:
        raise ValidationError(problems)


def _with_control(options: MessageOptions) -> dict[str, list[str]]:
    """Texts with a control character or a surrogate, which no chat can show."""
    texts = {
        "push_title": options.push_title,
        "push_text": options.push_text.replace("\n", " "),
        "custom_data": " ".join(options.custom_data.split()),
    }
    sentence = _("This holds a control character. Remove it.")
    return {name: [sentence] for name, text in texts.items() if has_control(text)}


def _sentence(
    field: str, conflict: Conflict, options: MessageOptions, text: str
) -> str:
    if conflict is Conflict.TOO_LONG:
        return _(
            "The message and its options are %(n)d bytes too long together; the limit "
            "is %(limit)d."
        ) % {
            "n": message_bytes(text, options) - MAX_MESSAGE_BYTES,
            "limit": MAX_MESSAGE_BYTES,
        }
    return str(SENTENCES[field, conflict])


def check_sendable(notification: Notification) -> None:
    """Raise ``ValidationError`` if a probe since has changed what may be sent."""
    check_channel(notification.channel)
    check_options(
        notification.channel,
        notification.options,
        names_members=bool(notification.recipients),
        text=notification.content,
    )


def stored_options(options: MessageOptions) -> str:
    """As in ``Notification.message_options``; empty for the defaults."""
    values = options.as_json()
    return json.dumps(values, ensure_ascii=False) if values else ""
