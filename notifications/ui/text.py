"""Text that people enter or read: notes, lists of IDs, joined names, control characters."""

import re
import unicodedata
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models.notifications import NOTE_MAX_LENGTH

NAMED = 5


def join_first(
    names: Sequence[str], count: int | None = None, *, most: int = NAMED
) -> str:
    """``most`` of them, and how many more; ``count``: of all, if not all are given."""
    shown = ", ".join(names[:most])
    more = (len(names) if count is None else count) - most
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }


def clean_note(text: str) -> str:
    """A note for the team, on one line.

    Raises ``ValidationError`` for one that is too long or holds control characters.
    """
    text = " ".join(text.split())
    if has_control(text):
        raise ValidationError(_("The note holds a control character. Remove it."))
    if len(text) > NOTE_MAX_LENGTH:
        raise ValidationError(
            _("The note has %(n)d characters; the limit is %(limit)d.")
            % {"n": len(text), "limit": NOTE_MAX_LENGTH}
        )
    return text


CONTROL = {"Cc", "Cs"}  # categories of Unicode: controls, and halves of characters


def has_control(text: str) -> bool:
    """Whether a character of ``text`` is a control character, which cannot be shown."""
    if text.isprintable():  # true for most texts, and much quicker
        return False
    return any(unicodedata.category(char) in CONTROL for char in text)


# Spaces, line ends, commas and semicolons, Latin and Chinese.
SEPARATORS = re.compile(r"[\s,;，；、]+")


def split_ids(text: str) -> list[str]:
    """IDs with any separator between them, in their order, repeated ones too."""
    return [part for part in SEPARATORS.split(text) if part]
