"""Usernames: which characters they may have, and that none is used twice.

The history and the trail name people by their usernames. A username that a person has or
had is never that of another person, nor one that looks like it, which would deceive
everyone who reads the history, and the people administrator who gives out roles.
"""

import re
import unicodedata
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.models import UsedUsername

# ASCII, and Chinese characters: other alphabets have letters that look like Latin ones.
_REFUSED = re.compile(r"[^A-Za-z0-9@.+_\-\u3400-\u4dbf\u4e00-\u9fff]")

# Characters, and pairs of them, that look alike in many fonts.
_ALIKE = (("0", "o"), ("1", "l"), ("i", "l"), ("rn", "m"), ("vv", "w"))


def permitted_username(name: str) -> str:
    """Return the name with ``_`` for each character that a username cannot have."""
    return _REFUSED.sub("_", unicodedata.normalize("NFKC", name))


def is_username_used(name: str, *, except_for: int | None = None) -> bool:
    """Whether another person (not ``except_for``, an id) has or had such a name."""
    rows = UsedUsername.objects.filter(key=_skeleton(name))
    return (rows.exclude(user=except_for) if except_for else rows).exists()


def validate_username(name: str, *, person: int | None = None) -> None:
    """Raise ``ValidationError``. ``person`` is the id of the person who gets the name."""
    if _REFUSED.search(name):
        raise ValidationError(
            _(
                "Use letters without accents, digits, Chinese characters and @ . + - _ "
                "only."
            )
        )
    if is_username_used(name, except_for=person):
        raise ValidationError(_used_message())


def refuse_used(instance: User, raw: bool, **signal: Any) -> None:
    """Receiver of ``pre_save`` of people, also of commands and single sign-on.

    Raises ``ValidationError``.
    """
    if raw or not _may_change_name(signal):
        return
    if is_username_used(instance.username, except_for=instance.pk):
        raise ValidationError({"username": _used_message()})


def remember(instance: User, raw: bool, **signal: Any) -> None:
    """Receiver of ``post_save`` of people. Raises ``ValidationError``."""
    if raw or not _may_change_name(signal):
        return
    row, _is_new = UsedUsername.objects.get_or_create(
        key=_skeleton(instance.username), defaults={"user": instance}
    )
    if row.user_id != instance.pk:  # another request was faster
        raise ValidationError({"username": _used_message()})


def _used_message() -> str:
    return _("Another person has or had this name, or one that looks like it.")


def _may_change_name(signal: dict[str, Any]) -> bool:
    fields = signal.get("update_fields")
    return fields is None or "username" in fields


def _skeleton(name: str) -> str:
    """The same text for names that look alike."""
    text = unicodedata.normalize("NFKC", name).casefold()
    for each, other in _ALIKE:
        text = text.replace(each, other)
    return text
