"""Names of labels: validation, and the reading of several in one text."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.models.groups import LABEL_MAX_LENGTH
from notifications.ui.text import has_control

# Commas, semicolons and vertical bars separate labels and are not part of one.
SEPARATORS = re.compile(r"[,;|，；、｜\r\n]")


def clean_label(name: str) -> str:
    """Strip the label and collapse its spaces.

    Raises ``ValidationError`` if it is not a valid label.
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
    """Labels with any separator between them, without duplicates that differ in case.

    Raises ``ValidationError`` with the errors of all labels.
    """
    labels: dict[str, str] = {}
    problems: list[ValidationError] = []
    for part in SEPARATORS.split(text):
        if not part.strip():
            continue
        try:
            label = clean_label(part)
        except ValidationError as error:
            problems.append(error)
        else:
            labels.setdefault(label.lower(), label)
    if problems:
        raise ValidationError(problems)
    return list(labels.values())
