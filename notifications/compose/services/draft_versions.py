"""Keeps each text of a draft that was saved."""

from typing import Any

from django.utils import timezone

from notifications.models import DraftVersion, Notification
from notifications.record.draft_versions import digest_of_version


def keep_version(draft: Notification, author: str) -> dict[str, Any]:
    """Insert the next version; return the values that its audit entry holds.

    Call it with the draft locked, after every save that changes it, in the transaction
    of the save and of the audit entry.
    """
    earlier = DraftVersion.objects.filter(notification_number=draft.pk)
    version = DraftVersion.objects.create(
        notification_number=draft.pk,
        number=earlier.count() + 1,
        saved_at=timezone.now(),
        author=author,
        content=draft.content,
        note=draft.note,
        recipients=draft.recipients,
        audience=draft.audience,
        audience_values=draft.audience_values,
    )
    return {"version": version.number, "version_sha256": digest_of_version(version)}
