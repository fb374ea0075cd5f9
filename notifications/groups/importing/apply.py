"""Writing an import: many chat groups and their labels in one transaction.

Each statement has one parameter, a JSON array of rows: one parameter for each value, as
Django's bulk methods use, takes five times as long.

The import page stores a file as a ``GroupImport`` between preview and confirmation.
An import never changes the state of a group (in use, switched off or closed).
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.db.sql import (
    insert_json,
    insert_select,
    json_cell,
    json_rows,
    lock_tables,
    quoted_column,
    quoted_table,
)
from notifications.groups.audit_events import IMPORTED
from notifications.groups.importing.parse import check_file
from notifications.groups.importing.plan import ChangedGroup, Plan, plan
from notifications.groups.importing.rows import ParsedRows, Row
from notifications.groups.labels import TABLES, Link
from notifications.models import AuditEntry, ChatGroup, GroupImport, Label
from notifications.models.groups import with_former_name
from notifications.permissions import require

BLOCK = 500

LARGE_BLOCK = 5000

PENDING_MAX_AGE = timedelta(days=1)

T = TypeVar("T")

SAVED = ["group_id", "name", "former_names", "type", "member_count"]

# The state of existing groups is not changed.
UPDATED = [*SAVED[1:], "checked_at"]

# In the order of SAVED.
GroupValues = tuple[str, str, str, str, int]


class NotPending(Exception):
    """The file was imported already, or was deleted because of its age."""


@transaction.atomic
def import_groups(
    parsed: ParsedRows, *, actor: str, digest: str | None = None, **detail: Any
) -> Plan:
    """Write the valid rows of a file in one transaction.

    ``digest`` identifies the plan that the user has seen: raises ``ValidationError`` if
    the plan has changed since then. ``detail`` is added to the audit entry.
    """
    lock_tables(*TABLES)
    applied = plan(parsed)
    if digest is not None and applied.digest != digest:
        raise ValidationError(
            _("The groups were changed after this page was shown. Look at it again.")
        )
    _save([_new_values(row) for row in applied.new])
    _save([_changed_values(changed) for changed in applied.changed])
    _mark_checked(applied.unchanged)
    relabelled = [changed for changed in applied.changed if changed.has_other_labels]
    for block in _blocks([changed.group.pk for changed in relabelled], BLOCK):
        Link.objects.filter(chatgroup__in=block).delete()
    new_labels = [Label(name=name) for name in applied.new_labels]
    Label.objects.bulk_create(new_labels, batch_size=BLOCK)
    rows = (*applied.new, *(changed.row for changed in relabelled))
    _add_labels([(row.group_id, label) for row in rows for label in row.labels or ()])
    audit_log.write(IMPORTED, actor, **applied.counts, **detail)
    return applied


@transaction.atomic
def store_pending(user: User, content: bytes, file_name: str = "") -> GroupImport:
    """Store a file, or pasted text, for its preview.

    Raises ``PermissionDenied``, or ``ValidationError`` if the file as a whole is invalid.
    Deletes files that were not confirmed within ``PENDING_MAX_AGE``.
    """
    _require(user)
    check_file(content)
    oldest = timezone.now() - PENDING_MAX_AGE
    GroupImport.objects.filter(created_at__lt=oldest).delete()
    return GroupImport.objects.create(
        owner=user,
        content=content,
        file_name=file_name[: GroupImport._meta.get_field("file_name").max_length],
    )


def import_pending(
    user: User,
    pending: GroupImport,
    parsed: ParsedRows,
    *,
    digest: str,
    leave_out: bool,
) -> Plan:
    """Import a file of the user after its preview, and delete the stored file.

    ``parsed`` holds the rows of the file; ``leave_out`` excludes lines with errors.
    Raises ``PermissionDenied``, ``NotPending`` if the file was imported already, and
    ``ValidationError`` if there are errors, or if the plan no longer matches ``digest``.
    """
    with transaction.atomic():
        _require(user)
        if pending.owner_id != user.pk:
            raise PermissionDenied
        # Of two concurrent confirmations the second waits here and deletes no row.
        deleted, _by_model = GroupImport.objects.filter(pk=pending.pk).delete()
        if not deleted:
            raise NotPending(explain_missing(user, pending.pk))
        applied = import_groups(
            parsed,
            actor=user.get_username(),
            digest=digest,
            file=pending.file_name,
            number=pending.pk,
        )
        if applied.problems and not leave_out:
            raise ValidationError(
                _("There are lines with errors. Leave them out first.")
            )
    return applied


def explain_missing(user: User, number: int) -> str:
    """A sentence that explains why a file is no longer pending."""
    imported = AuditEntry.objects.filter(
        action=IMPORTED.word,
        actor=user.get_username(),
        detail__number=number,
    )
    if imported.exists():
        return _("This file was imported already.")
    return _("This file is not here any more. Choose it again.")


def _require(user: User) -> None:
    require(user, permissions.ADD_GROUPS, permissions.CHANGE_GROUPS)


def _new_values(row: Row) -> GroupValues:
    return (row.group_id, row.name, "", row.type, row.member_count or 0)


def _changed_values(changed: ChangedGroup) -> GroupValues:
    known, row = changed.group, changed.row
    former_names = with_former_name(known.former_names, known.name, row.name)
    count = known.member_count if row.member_count is None else row.member_count
    return (known.group_id, row.name, former_names, row.type, count)


def _save(groups: Sequence[GroupValues]) -> None:
    """Insert or update groups; new ones are in use. Sets ``checked_at`` of all."""
    now = timezone.now()
    new = {"created_at": now, "checked_at": now, "state": ChatGroup.State.IN_USE.value}
    columns = [quoted_column(ChatGroup, name) for name in UPDATED]
    values = ", ".join(f"{column} = excluded.{column}" for column in columns)
    for block in _blocks(groups, LARGE_BLOCK):
        insert_json(
            ChatGroup,
            SAVED,
            block,
            same=new,
            on_conflict=f"(group_id) DO UPDATE SET {values}",
        )


def _mark_checked(pks: Sequence[int]) -> None:
    now = timezone.now()
    for block in _blocks(pks, BLOCK):
        ChatGroup.objects.filter(pk__in=block).update(checked_at=now)


def _add_labels(pairs: Sequence[tuple[str, str]]) -> None:
    """Add links from pairs of group ID and label; both exist, but no such link."""
    labels = Label.objects.order_by().values_list("name", "pk")
    pks = {name.lower(): pk for name, pk in labels} if pairs else {}
    select = (
        f"SELECT chatgroup.id, {json_cell(1, Link, 'label')} FROM {json_rows()} "  # noqa: S608  names of ours
        f"JOIN {quoted_table(ChatGroup)} AS chatgroup "
        f"ON chatgroup.group_id = {json_cell(0, ChatGroup, 'group_id')}"
    )
    for block in _blocks(pairs, LARGE_BLOCK):
        rows = [(group_id, pks[label.lower()]) for group_id, label in block]
        insert_select(Link, ["chatgroup", "label"], select, [json.dumps(rows)])


def _blocks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
