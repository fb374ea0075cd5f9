"""Notes, lists of IDs, joined names, control characters."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models.notifications import NOTE_MAX_LENGTH

NAMED = 5


def join_first(
    names: Sequence[str], count: int | None = None, *, most: int = NAMED
) -> str:
    """Join ``most`` names and the number of others; ``count``: number of all names."""
    shown = ", ".join(names[:most])
    more = (len(names) if count is None else count) - most
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }


def clean_note(text: str) -> str:
    """Return the note on one line.

    Raises ``ValidationError`` if it is too long or has control characters.
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


CONTROL = {"Cc", "Cs"}  # Unicode categories: control characters, surrogates


def has_control(text: str) -> bool:
    """Whether ``text`` has a control character or a surrogate."""
    if text.isprintable():  # faster, and true for most texts
        return False
    return any(unicodedata.category(char) in CONTROL for char in text)


# Spaces, line ends, commas and semicolons, Latin and Chinese.
SEPARATORS = re.compile(r"[\s,;，；、]+")
IDS = re.compile(r"[^\s,;，；、]+")
WORDS = re.compile(r"\S+")

MAX_IDS = 100_000


def split_ids(text: str, pattern: re.Pattern[str] = IDS) -> list[str]:
    """Split at any separators; keep the order and repeated IDs.

    Raises ``ValidationError`` for more than ``MAX_IDS``, before they take memory.
    """
    ids = [match[0] for match in islice(pattern.finditer(text), MAX_IDS + 1)]
    if len(ids) > MAX_IDS:
        raise ValidationError(_("More than 100,000 IDs at once. Split the list."))
    return ids
