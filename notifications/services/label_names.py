"""What a label may look like, and how several stand in one line of text."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.models.labels import LABEL_MAX_LENGTH

# Commas, semicolons, upright strokes: between labels, so never within one.
SEPARATORS = re.compile(r"[,;|，；、｜\r\n]")
NOT_SHOWN = {"Cc", "Cs"}  # categories of Unicode


def has_control(text: str) -> bool:
    """Whether a character stands for something else than a sign to be seen."""
    if text.isprintable():  # as most are: it looks at none by itself
        return False
    return any(unicodedata.category(char) in NOT_SHOWN for char in text)


def clean_label(name: str) -> str:
    """The label without spaces around it, and with single ones within.

    Raises ``ValidationError`` for what is no label.
    """
    label = " ".join(name.split())
    if not label:
        raise ValidationError(_("Write the label."))
    if len(label) > LABEL_MAX_LENGTH:
        raise ValidationError(
            _("The label “%(label)s” has %(n)d characters; the limit is %(limit)d.")
            % {
                "label": f"{label[:LABEL_MAX_LENGTH]}…",
                "n": len(label),
                "limit": LABEL_MAX_LENGTH,
            }
        )
    if SEPARATORS.search(label):
        raise ValidationError(
            _("The label “%(label)s” has a comma, semicolon or stroke. Leave it out.")
            % {"label": label}
        )
    if has_control(label):
        raise ValidationError(
            _("The label “%(label)s” has a character that cannot be shown.")
            % {"label": label}
        )
    return label


def split_labels(text: str) -> list[str]:
    """Labels with any separator between them, each once, whatever its capitals.

    Raises ``ValidationError`` as ``clean_label`` does, with all that is wrong.
    """
    found: dict[str, str] = {}
    problems: list[ValidationError] = []
    for part in SEPARATORS.split(text):
        if not part.strip():
            continue
        try:
            label = clean_label(part)
        except ValidationError as error:
            problems.append(error)
        else:
            found.setdefault(label.lower(), label)
    if problems:
        raise ValidationError(problems)
    return list(found.values())
