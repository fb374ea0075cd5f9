"""Importing chat groups from a file: one transaction, by a command or in the page.

In the page a file waits as a ``GroupImport`` between its preview and the confirmation.
A file never changes whether a group is in use, switched off or closed.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import roles
from notifications.models import AuditEntry, ChatGroup, GroupImport
from notifications.record import trail

from . import group_writing
from .group_files import check_file
from .group_plan import Changed, Plan, plan
from .group_rows import Reading, Row
from .permissions import require

KEPT = timedelta(days=1)


class NotWaiting(Exception):
    """The file was imported already, or is too old to be kept."""


@transaction.atomic
def import_groups(
    reading: Reading, *, actor: str, seen: str | None = None, **detail: Any
) -> Plan:
    """Write what can be used of a file: all of it or, when something fails, nothing.

    ``seen`` is the digest of the plan that a person looked at: raises
    ``ValidationError`` when it is another one by now. ``detail`` goes into the entry of
    the audit trail.
    """
    group_writing.keep_others_waiting()
    made = plan(reading)
    if seen is not None and made.digest != seen:
        raise ValidationError(
            _("The groups were changed after this page was shown. Look at it again.")
        )
    group_writing.save([_added(row) for row in made.new])
    group_writing.save([_changed(changed) for changed in made.changed])
    group_writing.mark_checked(made.unchanged)
    relabelled = [changed for changed in made.changed if changed.has_other_labels]
    group_writing.take_labels([changed.group.pk for changed in relabelled])
    group_writing.make_labels(made.new_labels)
    rows = (*made.new, *(changed.row for changed in relabelled))
    group_writing.put_labels(
        [(row.group_id, label) for row in rows for label in row.labels or ()]
    )
    trail.write(AuditEntry.Action.IMPORTED, actor, **made.counts, **detail)
    return made


@transaction.atomic
def keep(user: User, content: bytes, file_name: str = "") -> GroupImport:
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


def import_kept(
    user: User, kept: GroupImport, reading: Reading, *, seen: str, leave_out: bool
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
            raise NotWaiting(already_imported(user, kept.pk))
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
        action=AuditEntry.Action.IMPORTED,
        actor=user.get_username(),
        detail__number=number,
    )
    if imported.exists():
        return _("This file was imported already.")
    return _("This file is not here any more. Choose it again.")


def _require(user: User) -> None:
    require(user, roles.ADD_GROUPS)
    require(user, roles.CHANGE_GROUPS)


def _added(row: Row) -> group_writing.GroupValues:
    return (row.group_id, row.name, "", row.type, row.member_count or 0)


def _changed(changed: Changed) -> group_writing.GroupValues:
    known, row = changed.group, changed.row
    former_names = known.former_names
    if row.name != known.name:
        group = ChatGroup(name=known.name, former_names=former_names)
        group.rename(row.name)
        former_names = group.former_names
    count = known.member_count if row.member_count is None else row.member_count
    return (known.group_id, row.name, former_names, row.type, count)
