"""Versions of drafts: each saved text, compared with its digest in the audit trail.

The seals of the trail cover the digests: a version that matches its entry was not
changed, and every entry of a save requires its version.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Any, TypeAlias

from django.db.models import Exists, OuterRef
from django.utils import timezone

from notifications.models import AuditEntry, DraftVersion, Notification
from notifications.models.field_uses import Use, column_names
from notifications.record.canonical_text import iso_time, json_line
from notifications.record.readable import Reader

Row: TypeAlias = AuditEntry | DraftVersion

# Format of the line → columns that it does not have.
WITHOUT_COLUMNS = {1: {"channel", "message_options", "line_format"}, 2: {"line_format"}}

# Column of a version → column of the notification.
COPIED = {
    "author": "written_by_name",
    "author_number": "written_by_id",
    "content": "content",
    "note": "note",
    "recipients": "recipients",
    "audience": "audience",
    "audience_values": "audience_values",
    "channel": "channel",
    "message_options": "message_options",
}


def keep_version(draft: Notification, author: str) -> dict[str, Any]:
    """Insert the next version; return the values that its audit entry holds.

    Call it with the draft locked, after every change, in the transaction of the change
    and of the audit entry.
    """
    earlier = DraftVersion.objects.filter(notification_number=draft.pk)
    version = DraftVersion.objects.create(
        notification_number=draft.pk,
        number=earlier.count() + 1,
        saved_at=timezone.now(),
        author=author,
        author_number=draft.written_by_id,
        content=draft.content,
        note=draft.note,
        recipients=draft.recipients,
        audience=draft.audience,
        audience_values=draft.audience_values,
        channel=draft.channel,
        message_options=draft.message_options,
    )
    return {"version": version.number, "version_sha256": digest_of_version(version)}


def version_line(version: DraftVersion) -> bytes:
    """The columns of its format as one line; its SHA-256 is in the audit trail."""
    # A format that this release does not know: no digest matches.
    without = WITHOUT_COLUMNS.get(version.line_format, set())
    names = [
        field.attname
        for field in DraftVersion._meta.concrete_fields
        if not field.primary_key and field.attname not in without
    ]
    values = {name: getattr(version, name) for name in names}
    values["saved_at"] = iso_time(version.saved_at)
    return json_line({"format": version.line_format, "draft": values})


def _has_later_values(version: DraftVersion) -> bool:
    """Whether a column that its format does not have has another value than its default."""
    without = WITHOUT_COLUMNS.get(version.line_format, set()) - {"line_format"}
    fields = {field.attname: field for field in DraftVersion._meta.concrete_fields}
    return any(getattr(version, name) != fields[name].get_default() for name in without)


def digest_of_version(version: DraftVersion) -> str:
    return hashlib.sha256(version_line(version)).hexdigest()


def version_differences(
    reader: Reader, *, notification: int | None = None, since: datetime | None = None
) -> Iterator[str]:
    """Sentences on versions that are missing, changed or added.

    With ``notification``, only on the versions of that one; with ``since``, only on
    versions that were saved from then on.
    """
    entries = AuditEntry.objects.filter(
        action__in=[DraftVersion.SAVED, DraftVersion.FOLLOWED],
        notification_number__isnull=False,
    ).order_by("notification_number", "pk")
    versions = DraftVersion.objects.order_by("notification_number", "number", "pk")
    if notification is not None:
        entries = entries.filter(notification_number=notification)
        versions = versions.filter(notification_number=notification)
    # Both are read in the order of the drafts, one draft at a time.
    saves: Iterator[Row] = reader.rows(entries)
    rows = merge(saves, reader.rows(versions), key=_draft)
    for number, of_draft in groupby(rows, key=_draft):
        yield from _differences_of_draft(number, of_draft, since)


def _draft(row: Row) -> int:
    return row.notification_number or 0


def _differences_of_draft(
    number: int, rows: Iterable[Row], since: datetime | None
) -> Iterator[str]:
    """``rows`` are the audit entries of its saves, then its versions."""
    digests: dict[str, tuple[datetime, str]] = {}
    for row in rows:
        if isinstance(row, AuditEntry):
            if isinstance(row.detail, dict) and "version_sha256" in row.detail:
                version = str(row.detail.get("version"))
                digests[version] = row.at, row.detail["version_sha256"]
            continue
        at, digest = digests.pop(str(row.number), (row.saved_at, ""))
        if since is not None and at < since:
            continue
        if not digest:
            yield (
                f"version {row.number} of draft {number} was added: no audit entry has "
                "its digest."
            )
        elif digest_of_version(row) != digest or _has_later_values(row):
            yield f"version {row.number} of draft {number} was changed."
    for version, (at, _digest) in digests.items():
        if since is None or at >= since:
            yield f"version {version} of draft {number} is missing."


def draft_differences(
    reader: Reader, *, notification: int | None = None
) -> Iterator[str]:
    """Sentences on drafts that are missing, were added, or differ from their version.

    Notifications that were sent are compared as well, until they are sealed.
    """
    unsealed = Notification.objects.filter(seal__isnull=True)
    versions = DraftVersion.objects.all()
    if notification is not None:
        unsealed = unsealed.filter(pk=notification)
        versions = versions.filter(notification_number=notification)
    for row in reader.rows(unsealed.order_by("pk")):
        if difference := _difference_of_row(row, reader):
            yield difference
    number = OuterRef("notification_number")
    deletions = AuditEntry.objects.filter(
        action=DraftVersion.DELETED, notification_number=number
    )
    missing = versions.filter(
        ~Exists(Notification.objects.filter(pk=number)), ~Exists(deletions)
    )
    numbers = missing.order_by("notification_number").values_list(
        "notification_number", flat=True
    )
    for missing_number in numbers.distinct():
        yield f"draft {missing_number} is missing: no audit entry says who deleted it."


def _difference_of_row(row: Notification, reader: Reader) -> str:
    versions = DraftVersion.objects.filter(notification_number=row.pk)
    newest = versions.order_by("-number").values_list("pk", flat=True)[:1]
    if not newest:
        if row.status == Notification.Status.DRAFT:
            return f"draft {row.pk} was added: no version of it was saved."
        return _difference_of_resend(row, row.resend_of_id, reader)
    for version in reader.all(DraftVersion.objects.filter(pk=newest[0])):
        if _differ(version, row):
            return f"draft {row.pk} differs from its version {version.number}."
    return ""


def _difference_of_resend(
    row: Notification, first_number: int | None, reader: Reader
) -> str:
    """A notification that was sent again has no version, but copies of another one."""
    if first_number is None:
        return ""
    for first in reader.all(Notification.objects.filter(pk=first_number)):
        names = set(column_names(Notification, Use.COPIED)) - {"recipients"}
        if any(getattr(first, name) != getattr(row, name) for name in names):
            return f"notification {row.pk} differs from notification {first.pk}."
    return ""


def _differ(version: DraftVersion, row: Notification) -> bool:
    return any(
        getattr(version, name) != getattr(row, column)
        for name, column in COPIED.items()
    )
