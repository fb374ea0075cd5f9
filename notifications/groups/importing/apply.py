"""Writing an import: many chat groups and their labels in one transaction.

Each statement has one parameter, a JSON array of rows: one parameter for each value, as
Django's bulk methods use, takes five times as long. The file is read, compared and
written some thousand lines at a time, so the memory does not depend on its size.

The import page stores a file as a ``GroupImport`` between preview and confirmation.
An import never changes the state of a group (in use, switched off or closed).
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.db.expressions import InList
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
from notifications.groups.importing.parse import GroupFile, check_file
from notifications.groups.importing.plan import (
    ChangedGroup,
    Plan,
    PlannedBlock,
    plan_blocks,
)
from notifications.groups.importing.rows import Row, RowProblem
from notifications.groups.labels import TABLES, Link
from notifications.models import AuditEntry, ChatGroup, GroupImport, Label
from notifications.models.groups import with_former_name
from notifications.permissions import require

BLOCK = 500

PENDING_MAX_AGE = timedelta(days=1)

SAVED = ["group_id", "name", "former_names", "type", "member_count"]

# The state of existing groups is not changed.
UPDATED = [*SAVED[1:], "checked_at"]

# In the order of SAVED.
GroupValues = tuple[str, str, str, str, int]


class NotPending(Exception):
    """The file was imported already, or was deleted because of its age."""


class LinesRejected(ValidationError):
    """There are lines with errors, which were not to be left out."""

    def __init__(self, rejected: int) -> None:
        super().__init__(_("There are lines with errors. Leave them out first."))
        self.rejected = rejected


@transaction.atomic
def import_groups(
    file: GroupFile,
    /,
    *,
    actor: str,
    digest: str | None = None,
    leave_out: bool = True,
    report: Callable[[RowProblem], object] | None = None,
    **detail: Any,
) -> Plan:
    """Write the valid rows of a file in one transaction.

    ``digest`` identifies the plan that the user has seen: raises ``ValidationError`` if
    the plan has changed since then. ``leave_out`` excludes lines with errors: raises
    ``LinesRejected`` if there are any without it. ``report`` is called with each error.
    ``detail`` is added to the audit entry.
    """
    lock_tables(*TABLES)
    applied = Plan(has_digest=digest is not None)
    now = timezone.now()
    labels = _label_keys() if "labels" in file.columns else {}
    for block in plan_blocks(file):
        applied.add(block)
        if report:
            for problem in block.problems:
                report(problem)
        if leave_out or not applied.rejected:  # otherwise nothing will be written
            _write(block, labels, now)
    if applied.rejected and not leave_out:
        raise LinesRejected(applied.rejected)
    if digest is not None and applied.digest != digest:
        raise ValidationError(
            _("The groups were changed after this page was shown. Look at it again.")
        )
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


@transaction.atomic
def import_pending(
    user: User, pending: GroupImport, file: GroupFile, *, digest: str, leave_out: bool
) -> Plan:
    """Import a file of the user after its preview, and delete the stored file.

    ``file`` is the content of ``pending``. Raises ``PermissionDenied``, ``NotPending`` if
    the file was imported already, and what ``import_groups`` raises.
    """
    _require(user)
    if pending.owner_id != user.pk:
        raise PermissionDenied
    # Of two concurrent confirmations the second waits here and deletes no row.
    deleted, _by_model = GroupImport.objects.filter(pk=pending.pk).delete()
    if not deleted:
        raise NotPending(explain_missing(user, pending.pk))
    return import_groups(
        file,
        actor=user.get_username(),
        digest=digest,
        leave_out=leave_out,
        file=pending.file_name,
        number=pending.pk,
    )


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


def _label_keys() -> dict[str, int]:
    """Primary keys of the labels by lower-case name."""
    labels = Label.objects.order_by().values_list("name", "pk")
    return {name.lower(): pk for name, pk in labels}


def _write(block: PlannedBlock, labels: dict[str, int], now: datetime) -> None:
    """Write one block; ``labels`` are the keys by lower-case name, to be extended."""
    _save([_new_values(row) for row in block.new], now)
    _save([_changed_values(changed) for changed in block.changed], now)
    if block.unchanged:
        unchanged = ChatGroup.objects.filter(InList("group_id", block.unchanged))
        unchanged.update(checked_at=now)
    relabelled = [changed.row for changed in block.changed if changed.has_other_labels]
    if relabelled:
        ids = [row.group_id for row in relabelled]
        groups = ChatGroup.objects.filter(InList("group_id", ids))
        Link.objects.filter(chatgroup__in=groups).delete()
    new_labels = [Label(name=name) for name in block.new_labels]
    for label in Label.objects.bulk_create(new_labels, batch_size=BLOCK):
        labels[label.name.lower()] = label.pk
    _add_labels([*block.new, *relabelled], labels)


def _new_values(row: Row) -> GroupValues:
    return (row.group_id, row.name, "", row.type, row.member_count or 0)


def _changed_values(changed: ChangedGroup) -> GroupValues:
    known, row = changed.group, changed.row
    former_names = with_former_name(known.former_names, known.name, row.name)
    count = known.member_count if row.member_count is None else row.member_count
    return (known.group_id, row.name, former_names, row.type, count)


def _save(groups: Sequence[GroupValues], now: datetime) -> None:
    """Insert or update groups; new ones are in use. Sets ``checked_at`` of all."""
    new = {"created_at": now, "checked_at": now, "state": ChatGroup.State.IN_USE.value}
    columns = [quoted_column(ChatGroup, name) for name in UPDATED]
    values = ", ".join(f"{column} = excluded.{column}" for column in columns)
    insert_json(
        ChatGroup,
        SAVED,
        groups,
        same=new,
        on_conflict=f"(group_id) DO UPDATE SET {values}",
    )


def _add_labels(rows: Sequence[Row], labels: dict[str, int]) -> None:
    """Link the groups of the rows, which exist without links, with their labels."""
    pairs = [
        (row.group_id, labels[label.lower()])
        for row in rows
        for label in row.labels or ()
    ]
    if not pairs:
        return
    select = (
        f"SELECT chatgroup.id, {json_cell(1, Link, 'label')} FROM {json_rows()} "  # noqa: S608  names of ours
        f"JOIN {quoted_table(ChatGroup)} AS chatgroup "
        f"ON chatgroup.group_id = {json_cell(0, ChatGroup, 'group_id')}"
    )
    insert_select(Link, ["chatgroup", "label"], select, [json.dumps(pairs)])
