"""Chat groups: one saved, some switched on or off, many imported from a CSV file.

An import is first a plan, then one transaction.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import roles
from notifications.im.rules import is_group_id
from notifications.models import AuditEntry, ChatGroup, GroupType
from notifications.record import trail
from notifications.selectors.audiences import audience

from .permissions import require

REQUIRED = ("group_id", "type", "name")
MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
NAME_MAX_LENGTH = 100
BLOCK = 500


@transaction.atomic
def save_group(user: User, group: ChatGroup) -> None:
    """Add a group, or change one; a new name keeps the old one searchable."""
    group.checked_at = timezone.now()
    if group.pk is None:
        require(user, roles.ADD_GROUPS)
        group.save()
        action = AuditEntry.Action.GROUP_ADDED
        detail: dict[str, Any] = _values(group)
    else:
        require(user, roles.CHANGE_GROUPS)
        before = ChatGroup.objects.select_for_update().get(pk=group.pk)
        was, name = _values(before), group.name
        group.name, group.former_names = before.name, before.former_names
        group.rename(name)
        group.save()
        changed = {key: v for key, v in _values(group).items() if v != was[key]}
        action = AuditEntry.Action.GROUP_CHANGED
        detail = {"before": {key: was[key] for key in changed}, "after": changed}
    trail.write(action, user.get_username(), group_id=group.group_id, **detail)


def switch_off(user: User, groups: QuerySet[ChatGroup]) -> int:
    """In use → switched off: nothing is sent to them. Returns how many changed."""
    return _switch(user, groups, ChatGroup.State.IN_USE, ChatGroup.State.SWITCHED_OFF)


def switch_on(user: User, groups: QuerySet[ChatGroup]) -> int:
    """Switched off → in use; a closed group stays closed. Returns how many changed."""
    return _switch(user, groups, ChatGroup.State.SWITCHED_OFF, ChatGroup.State.IN_USE)


@transaction.atomic
def _switch(
    user: User,
    groups: QuerySet[ChatGroup],
    leaves: ChatGroup.State,
    to: ChatGroup.State,
) -> int:
    require(user, roles.CHANGE_GROUPS)
    ids = list(groups.order_by("pk").filter(state=leaves).values_list("pk", flat=True))
    switched: list[str] = []
    for start in range(0, len(ids), BLOCK):
        block = ChatGroup.objects.filter(
            pk__in=ids[start : start + BLOCK], state=leaves
        )
        names = list(block.select_for_update().values_list("group_id", flat=True))
        block.update(state=to)
        switched += names
    if switched:
        action = (
            AuditEntry.Action.SWITCHED_ON
            if to == ChatGroup.State.IN_USE
            else AuditEntry.Action.SWITCHED_OFF
        )
        trail.write(action, user.get_username(), groups=switched)
    return len(switched)


def _values(group: ChatGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "type": group.type,
        "member_count": group.member_count,
        "state": group.state,
    }


@dataclass(slots=True)
class ImportPlan:
    """What an import would do. ``rejected``: line (the header is 1) and sentence."""

    new: list[ChatGroup] = field(default_factory=list)
    changed: list[ChatGroup] = field(default_factory=list)
    unchanged: list[ChatGroup] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def plan_import(raw: bytes) -> ImportPlan:
    """Read a file ``group_id,type,name[,member_count]`` and compare; writes nothing.

    Raises ``ValidationError`` when the file as a whole cannot be used.
    """
    plan = ImportPlan()
    rows: dict[str, tuple[int, ChatGroup]] = {}
    for line, values in _rows(_decode(raw)):
        try:
            group = _group(values)
        except ValidationError as error:
            plan.rejected.append((line, " ".join(error.messages)))
            continue
        if group.group_id in rows:
            first = rows[group.group_id][0]
            plan.rejected.append(
                (
                    line,
                    _("“%(id)s” is on line %(first)d already.")
                    % {"id": group.group_id, "first": first},
                )
            )
            continue
        rows[group.group_id] = (line, group)
    _compare(plan, [group for _line, group in rows.values()])
    return plan


@transaction.atomic
def apply_import(plan: ImportPlan, *, actor: str) -> None:
    """Write a plan: all of it or, when something fails, nothing."""
    now = timezone.now()
    for group in (*plan.new, *plan.changed, *plan.unchanged):
        group.checked_at = now
    ChatGroup.objects.bulk_create(plan.new, batch_size=BLOCK)
    ChatGroup.objects.bulk_update(
        [*plan.changed, *plan.unchanged],
        ["name", "former_names", "type", "member_count", "checked_at"],
        batch_size=BLOCK,
    )
    trail.write(
        AuditEntry.Action.IMPORTED,
        actor,
        added=len(plan.new),
        updated=len(plan.changed),
        unchanged=len(plan.unchanged),
        rejected=len(plan.rejected),
    )


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise ValidationError(_("The file is larger than 10 MB. Split it."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(
            _("The file is not UTF-8 (byte %(n)d). Save it as “CSV UTF-8”.")
            % {"n": error.start + 1}
        ) from None


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""))
    records = _records(reader)
    header = [cell.strip().lower() for cell in next(records, [])]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise ValidationError(
            _("The first line must name the columns. Missing: %(names)s")
            % {"names": ", ".join(missing)}
        )
    begins, count = reader.line_num + 1, 0
    for cells in records:
        if any(cell.strip() for cell in cells):
            count += 1
            if count > MAX_ROWS:
                raise ValidationError(
                    _("The file has more than %(n)d rows. Split it.") % {"n": MAX_ROWS}
                )
            yield begins, dict(zip(header, cells, strict=False))
        begins = reader.line_num + 1


def _records(reader: Any) -> Iterator[list[str]]:
    """The records of a ``csv.reader``; what it cannot read is a ``ValidationError``."""
    try:
        yield from reader
    except csv.Error:  # a cell without an end, mostly: its quote is never closed
        raise ValidationError(
            _("Line %(n)d cannot be read. Is a quotation mark missing?")
            % {"n": reader.line_num}
        ) from None


def _group(values: dict[str, str]) -> ChatGroup:
    group_id = values.get("group_id", "").strip()
    # The mark that our own export and Excel put before what looks like a formula.
    if group_id[:1] == "'" and group_id[1:2] in ("=", "+", "-", "@"):
        group_id = group_id[1:]
    group_type = values.get("type", "").strip()
    name = values.get("name", "").strip()
    count = values.get("member_count", "").strip() or "0"
    if not is_group_id(group_id):
        raise ValidationError(
            _("“%(id)s” is no group ID: 1 to 48 letters, digits or signs, no spaces.")
            % {"id": group_id}
        )
    if group_type not in GroupType.values:
        raise ValidationError(
            _("“%(type)s” is not one of %(types)s.")
            % {"type": group_type, "types": ", ".join(GroupType.values)}
        )
    has_control = any(unicodedata.category(char) in ("Cc", "Cs") for char in name)
    if not name or len(name) > NAME_MAX_LENGTH or has_control:
        raise ValidationError(
            _("The name must have 1 to %(n)d characters, on one line.")
            % {"n": NAME_MAX_LENGTH}
        )
    if not (count.isascii() and count.isdigit() and len(count) < 10):
        raise ValidationError(_("“%(n)s” is no number of members.") % {"n": count})
    return ChatGroup(
        group_id=group_id, type=group_type, name=name, member_count=int(count)
    )


def _compare(plan: ImportPlan, read: Sequence[ChatGroup]) -> None:
    found = audience("chosen", [group.group_id for group in read])
    known = {group.group_id: group for group in (*found.groups, *found.unusable)}
    for group in read:
        old = known.get(group.group_id)
        if old is None:
            plan.new.append(group)
            continue
        before = (old.name, old.type, old.member_count)
        old.rename(group.name)
        old.type, old.member_count = group.type, group.member_count
        same = before == (old.name, old.type, old.member_count)
        (plan.unchanged if same else plan.changed).append(old)
