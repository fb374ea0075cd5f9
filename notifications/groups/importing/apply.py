"""Writing an import: many chat groups and their labels in one transaction.

What is to be written goes to the database as one JSON array of arrays a statement, and
the database makes rows of it: a parameter a value, as Django writes it, takes five
times as long. Call these inside one transaction that has locked the tables.

In the page a file waits as a ``GroupImport`` between its preview and the confirmation.
A file never changes whether a group is in use, switched off or closed.
"""

import json
from collections.abc import Collection, Iterator, Sequence
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
from notifications.groups.importing.plan import Changed, Plan, plan
from notifications.groups.importing.rows import ParsedRows, Row
from notifications.groups.labels import Link
from notifications.models import AuditEntry, ChatGroup, GroupImport, Label
from notifications.permissions import require

BLOCK = 500

LARGE_BLOCK = 5000

T = TypeVar("T")

SAVED = ["group_id", "name", "former_names", "type", "member_count"]

# Of groups that there are, the state stays as it is.
UPDATED = [*SAVED[1:], "checked_at"]

# In the order of SAVED.
GroupValues = tuple[str, str, str, str, int]


def save(groups: Sequence[GroupValues]) -> None:
    """Add groups, in use; of those that there are, the state stays. All are checked."""
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


def mark_checked(groups: Sequence[int]) -> None:
    """``groups`` are row numbers."""
    now = timezone.now()
    for block in _blocks(groups, BLOCK):
        ChatGroup.objects.filter(pk__in=block).update(checked_at=now)


def make_labels(names: Collection[str]) -> None:
    Label.objects.bulk_create([Label(name=name) for name in names], batch_size=BLOCK)


def remove_labels(groups: Sequence[int]) -> None:
    """All labels off these groups, given by row number."""
    for block in _blocks(groups, BLOCK):
        Link.objects.filter(chatgroup__in=block).delete()


def add_labels(pairs: Sequence[tuple[str, str]]) -> None:
    """ID of a group, label: both must exist, but not yet together."""
    names = Label.objects.order_by().values_list("name", "pk")
    numbers = {name.lower(): pk for name, pk in names} if pairs else {}
    select = (
        f"SELECT chatgroup.id, {json_cell(1, Link, 'label')} FROM {json_rows()} "  # noqa: S608  names of ours
        f"JOIN {quoted_table(ChatGroup)} AS chatgroup "
        f"ON chatgroup.group_id = {json_cell(0, ChatGroup, 'group_id')}"
    )
    for block in _blocks(pairs, LARGE_BLOCK):
        rows = [(group, numbers[label.lower()]) for group, label in block]
        insert_select(Link, ["chatgroup", "label"], select, [json.dumps(rows)])


def _blocks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


KEPT = timedelta(days=1)


class NotPending(Exception):
    """The file was imported already, or is too old to be kept."""


@transaction.atomic
def import_groups(
    reading: ParsedRows, *, actor: str, seen: str | None = None, **detail: Any
) -> Plan:
    """Write what can be used of a file: all of it or, when something fails, nothing.

    ``seen`` is the digest of the plan that a person looked at: raises
    ``ValidationError`` when it is another one by now. ``detail`` goes into the entry of
    the audit trail.
    """
    lock_tables(ChatGroup, Label, Link)
    made = plan(reading)
    if seen is not None and made.digest != seen:
        raise ValidationError(
            _("The groups were changed after this page was shown. Look at it again.")
        )
    save([_created(row) for row in made.new])
    save([_changed(changed) for changed in made.changed])
    mark_checked(made.unchanged)
    relabelled = [changed for changed in made.changed if changed.has_other_labels]
    remove_labels([changed.group.pk for changed in relabelled])
    make_labels(made.new_labels)
    rows = (*made.new, *(changed.row for changed in relabelled))
    add_labels([(row.group_id, label) for row in rows for label in row.labels or ()])
    audit_log.write(IMPORTED, actor, **made.counts, **detail)
    return made


@transaction.atomic
def store_pending(user: User, content: bytes, file_name: str = "") -> GroupImport:
    """Take a file, or what was pasted, for its preview.

    Raises ``PermissionDenied``, and ``ValidationError`` when the file as a whole cannot
    be used. Files of yesterday that nobody confirmed are removed.
    """
    _require(user)
    check_file(content)
    GroupImport.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return GroupImport.objects.create(
        owner=user,
        content=content,
        file_name=file_name[: GroupImport._meta.get_field("file_name").max_length],
    )


def import_pending(
    user: User, kept: GroupImport, reading: ParsedRows, *, seen: str, leave_out: bool
) -> Plan:
    """Import a file of one's own that was looked at; it is removed then.

    ``reading`` is what the file says; ``leave_out`` leaves out its lines with errors.
    Raises ``PermissionDenied``, ``NotWaiting`` when it was imported already, and
    ``ValidationError`` when there are errors, or other groups than were ``seen``.
    """
    _require(user)
    if kept.owner_id != user.pk:
        raise PermissionDenied
    with transaction.atomic():
        # Of two that confirm at once, the second waits here and finds nothing.
        removed, _of_what = GroupImport.objects.filter(pk=kept.pk).delete()
        if not removed:
            raise NotPending(already_imported(user, kept.pk))
        made = import_groups(
            reading,
            actor=user.get_username(),
            seen=seen,
            file=kept.file_name,
            number=kept.pk,
        )
        if made.problems and not leave_out:
            raise ValidationError(
                _("There are lines with errors. Leave them out first.")
            )
    return made


def already_imported(user: User, number: int) -> str:
    """What became of a file that is not waiting any more, as a sentence."""
    imported = AuditEntry.objects.filter(
        action=IMPORTED.word,
        actor=user.get_username(),
        detail__number=number,
    )
    if imported.exists():
        return _("This file was imported already.")
    return _("This file is not here any more. Choose it again.")


def _require(user: User) -> None:
    require(user, permissions.ADD_GROUPS)
    require(user, permissions.CHANGE_GROUPS)


def _created(row: Row) -> GroupValues:
    return (row.group_id, row.name, "", row.type, row.member_count or 0)


def _changed(changed: Changed) -> GroupValues:
    known, row = changed.group, changed.row
    former_names = known.former_names
    if row.name != known.name:
        group = ChatGroup(name=known.name, former_names=former_names)
        group.rename(row.name)
        former_names = group.former_names
    count = known.member_count if row.member_count is None else row.member_count
    return (known.group_id, row.name, former_names, row.type, count)
