"""Usernames are never used twice: the history and the trail name people by them.

Each username that a person gets is stored for ever, also after a change of it.
"""

import unicodedata
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.models import UsedUsername


def is_used(username: str, *, by_other_than: int | None = None) -> bool:
    """Whether another person has or had this username, in any case or width."""
    rows = UsedUsername.objects.filter(key=_key(username))
    return rows.exclude(user=by_other_than).exists() if by_other_than else rows.exists()


def refuse_used(instance: User, raw: bool, **signal: Any) -> None:
    """Receiver of ``pre_save`` of users. Raises ``ValidationError``."""
    if raw or not _concerns(signal):
        return
    if is_used(instance.username, by_other_than=instance.pk):
        raise ValidationError({"username": used_message()})


def remember(instance: User, raw: bool, **signal: Any) -> None:
    """Receiver of ``post_save`` of users. Raises ``ValidationError``."""
    if raw or not _concerns(signal):
        return
    row, _is_new = UsedUsername.objects.get_or_create(
        key=_key(instance.username), defaults={"user": instance}
    )
    if row.user_id != instance.pk:  # another request was faster
        raise ValidationError({"username": used_message()})


def used_message() -> str:
    return _(
        "This username is or was that of another person. A username is never used twice, "
        "since the history names people by it."
    )


def _concerns(signal: dict[str, Any]) -> bool:
    fields = signal.get("update_fields")
    return fields is None or "username" in fields


def _key(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold()
