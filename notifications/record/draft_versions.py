"""Versions of drafts, compared with the digests that the audit trail holds.

The seals of the trail cover the digests: a version that matches its entry was not
changed, and every entry of a save requires its version.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from notifications.models import AuditEntry, DraftVersion
from notifications.record.canonical_text import iso_time, json_line

FORMAT = 1


def version_line(version: DraftVersion) -> bytes:
    """All columns but the key as one line; its SHA-256 is in the audit trail."""
    names = [
        field.attname
        for field in DraftVersion._meta.concrete_fields
        if not field.primary_key
    ]
    values = {name: getattr(version, name) for name in names}
    values["saved_at"] = iso_time(version.saved_at)
    return json_line({"format": FORMAT, "draft": values})


def digest_of_version(version: DraftVersion) -> str:
    return hashlib.sha256(version_line(version)).hexdigest()


def version_differences(
    *, notification: int | None = None, since: datetime | None = None
) -> Iterator[str]:
    """Sentences on versions that are missing, changed or added.

    With ``notification``, only on the versions of that one; with ``since``, only on
    versions that were saved from then on.
    """
    entries = AuditEntry.objects.filter(action=DraftVersion.SAVED).order_by("pk")
    versions = DraftVersion.objects.order_by("pk")
    if notification is not None:
        entries = entries.filter(notification_number=notification)
        versions = versions.filter(notification_number=notification)
    digests = {
        (number, detail.get("version")): (at, detail["version_sha256"])
        for at, number, detail in entries.values_list(
            "at", "notification_number", "detail"
        ).iterator(chunk_size=1000)
        if "version_sha256" in detail
    }
    for version in versions.iterator(chunk_size=500):
        key = version.notification_number, version.number
        name = f"version {version.number} of draft {version.notification_number}"
        at, digest = digests.pop(key, (version.saved_at, ""))
        if since is not None and at < since:
            continue
        if not digest:
            yield f"{name} was added: no audit entry has its digest."
        elif digest_of_version(version) != digest:
            yield f"{name} was changed."
    for (number, version_number), (at, _digest) in digests.items():
        if since is None or at >= since:
            yield f"version {version_number} of draft {number} is missing."
