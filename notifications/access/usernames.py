"""Usernames: which characters they may have, and when two look alike.

A username that looks like that of a colleague would deceive everyone who reads the
history, and the people administrator who gives out roles.
"""

import re
import unicodedata

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# ASCII, and Chinese characters: other alphabets have letters that look like Latin ones.
_REFUSED = re.compile(r"[^A-Za-z0-9@.+_\-\u3400-\u4dbf\u4e00-\u9fff]")

# Characters, and pairs of them, that look alike in many fonts.
_ALIKE = (("0", "o"), ("1", "l"), ("i", "l"), ("rn", "m"), ("vv", "w"))


def permitted_username(name: str) -> str:
    """Return the name with ``_`` for each character that a username cannot have."""
    return _REFUSED.sub("_", unicodedata.normalize("NFKC", name))


def is_username_taken(name: str, *, except_for: int | None = None) -> bool:
    """Whether another person (not ``except_for``, an id) has a name that looks alike."""
    people = User.objects.values_list("pk", "username").iterator()
    skeleton = _skeleton(name)
    return any(
        pk != except_for and _skeleton(other) == skeleton for pk, other in people
    )


def validate_username(name: str, *, person: int | None = None) -> None:
    """Raise ``ValidationError``. ``person`` is the id of the person who gets the name."""
    if _REFUSED.search(name):
        raise ValidationError(
            _(
                "Use letters without accents, digits, Chinese characters and @ . + - _ "
                "only."
            )
        )
    if is_username_taken(name, except_for=person):
        raise ValidationError(
            _("Another person has this name, or one that looks like it.")
        )


def _skeleton(name: str) -> str:
    """The same text for names that look alike."""
    text = unicodedata.normalize("NFKC", name).casefold()
    for each, other in _ALIKE:
        text = text.replace(each, other)
    return text
