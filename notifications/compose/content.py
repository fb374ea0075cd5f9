"""Validation of the message of a notification."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.ui.text import has_control


def clean_content(text: str) -> str:
    """The text as it will be sent: ends trimmed, line ends as LF.

    Raises ``ValidationError`` when it is empty, holds control characters, or is longer
    than ``IM_CONTENT_MAX_BYTES`` bytes of UTF-8. Tencent documents no limit for this
    call; 8000 bytes is the lowest that any of its texts states for messages.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise ValidationError(_("Write the message."))
    for position, char in enumerate(text, start=1):
        if char not in "\n\t" and has_control(char):
            raise ValidationError(
                _(
                    "Character %(position)d is a control character (%(code)s), which "
                    "no chat can show. Remove it."
                )
                % {"position": position, "code": f"U+{ord(char):04X}"}
            )
    excess = len(text.encode()) - settings.IM_CONTENT_MAX_BYTES
    if excess > 0:
        raise ValidationError(
            ngettext(
                "The message is %(n)d byte too long. A Chinese character counts as 3.",
                "The message is %(n)d bytes too long. A Chinese character counts as 3.",
                excess,
            )
            % {"n": excess}
        )
    return text
