"""Names the differences between two versions of a notification, field by field."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.audiences.exclusions import reason_label
from notifications.compose.checked import Shown
from notifications.delivery.option_labels import option_lines
from notifications.models import Channel, GroupType, Notification, Rule
from notifications.tencent.message_options import MessageOptions
from notifications.ui.text import join_first

NAMED_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """``changes`` names the members or groups that were added, removed or changed."""

    label: str
    before: str
    after: str
    changes: list[str]


@dataclass(frozen=True, slots=True)
class _Field:
    """Differs if one of ``keys`` differs; ``changes`` compares the values of the first."""

    label: Any
    keys: Sequence[str]
    text: Callable[[Shown], str]
    changes: Callable[[Any, Any], Iterator[str]] = lambda _before, _after: iter(())


def differences(before: Shown, after: Shown) -> list[ChangedValue]:
    """The fields that differ; both arguments are values of ``Checked.shown``."""
    changed = [
        ChangedValue(
            str(row.label),
            row.text(before),
            row.text(after),
            list(row.changes(before[row.keys[0]], after[row.keys[0]])),
        )
        for row in FIELDS
        if any(before[key] != after[key] for key in row.keys)
    ]
    # Another choice has another order in any case.
    choice = ("audience", "audience_name", "rule", "groups")
    same_choice = all(before[key] == after[key] for key in choice)
    if same_choice and before["order"] != after["order"]:
        sentence = _("The order of the groups changed.")
        count = _group_count("groups")
        changed.append(
            ChangedValue(_("Groups"), count(before), count(after), [sentence])
        )
    return changed


def _members(shown: Shown) -> str:
    members = shown["members"]
    if members is None:
        return _("Everyone in the group")
    return join_first(members, most=NAMED_MEMBERS)


def _member_changes(
    before: Sequence[str] | None, after: Sequence[str] | None
) -> Iterator[str]:
    if before is None or after is None:
        return
    yield from _added_and_removed(
        [member for member in after if member not in before],
        [member for member in before if member not in after],
    )
    if [m for m in before if m in after] != [m for m in after if m in before]:
        yield _("The order of the members changed.")


def _channel(shown: Shown) -> str:
    return str(Channel(shown["channel"]).label)


def _options(shown: Shown) -> str:
    lines = option_lines(MessageOptions.from_json(shown["options"]))
    return "\n".join(
        _("%(label)s: %(value)s") % {"label": label, "value": value}
        for label, value in lines
    )


def _audience(shown: Shown) -> str:
    parts = [str(Notification.Audience(shown["audience"]).label)]
    if shown["audience_name"]:
        parts.append(shown["audience_name"])
    if shown["rule"] is not None:
        parts.append(str(Rule.from_json(shown["rule"])))
    return ": ".join(parts)


def _excepted(shown: Shown) -> str:
    return join_first([one["name"] or one["group_id"] for one in shown["excepted"]])


def _excepted_changes(
    before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    old, new = (
        {one["group_id"]: one["name"] for one in rows} for rows in (before, after)
    )
    yield from _added_and_removed(
        [new[i] or i for i in new if i not in old],
        [old[i] or i for i in old if i not in new],
    )
    yield from _renamed((old[i], new[i]) for i in old if i in new)


def _renamed(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    if renamed := [f"{old} → {new}" for old, new in names if old != new]:
        yield _("Renamed: %(names)s") % {"names": join_first(renamed)}


def _group_count(key: str) -> Callable[[Shown], str]:
    def text(shown: Shown) -> str:
        count = shown[key]["count"]
        return ngettext("%(n)s group", "%(n)s groups", count) % {"n": f"{count:,}"}

    return text


def _group_changes(before: Shown, after: Shown) -> Iterator[str]:
    """The columns of a line are described in ``CheckedGroups``."""
    if before["lines"] is None or after["lines"] is None:
        yield _("The list is too long to name what changed in it.")
        return
    old, new = _by_id(before["lines"]), _by_id(after["lines"])
    yield from _added_and_removed(
        [new[i][1] for i in new if i not in old],
        [old[i][1] for i in old if i not in new],
    )
    both = [(old[i], new[i]) for i in old if i in new]
    yield from _renamed((a[1], b[1]) for a, b in both)
    other_type = [
        f"{b[1]} ({_type_label(a[0])} → {_type_label(b[0])})"
        for a, b in both
        if a[0] != b[0]
    ]
    if other_type:
        yield _("Changed: %(names)s") % {"names": join_first(other_type)}


def _by_id(lines: Sequence[str]) -> Mapping[str, list[str]]:
    rows = (line.split("\t", 2) for line in lines)
    return {group_id: columns for group_id, *columns in rows}


def _type_label(value: str) -> str:
    """The label of a group's type, or of the reason that excludes it."""
    types: dict[str, Any] = dict(GroupType.choices)
    return str(types[value]) if value in types else reason_label(value)


def _added_and_removed(added: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
    if added:
        yield _("Added: %(names)s") % {"names": join_first(added)}
    if removed:
        yield _("Removed: %(names)s") % {"names": join_first(removed)}


def _sender(shown: Shown) -> str:
    name: str = shown["sender"]
    return f"{name} · {_('may do everything')}" if shown["by_superuser"] else name


FIELDS = [
    _Field(gettext_lazy("Message"), ["message"], itemgetter("message")),
    _Field(gettext_lazy("Members"), ["members"], _members, _member_changes),
    _Field(gettext_lazy("Channel"), ["channel"], _channel),
    _Field(gettext_lazy("Options"), ["options"], _options),
    _Field(gettext_lazy("Send to"), ["audience", "audience_name", "rule"], _audience),
    _Field(
        gettext_lazy("Excepted by name"), ["excepted"], _excepted, _excepted_changes
    ),
    _Field(gettext_lazy("Groups"), ["groups"], _group_count("groups"), _group_changes),
    _Field(
        gettext_lazy("Groups left out"),
        ["left_out"],
        _group_count("left_out"),
        _group_changes,
    ),
    _Field(gettext_lazy("Note"), ["note"], itemgetter("note")),
    _Field(gettext_lazy("Written by"), ["written_by"], itemgetter("written_by")),
    _Field(gettext_lazy("Sent by"), ["sender", "by_superuser"], _sender),
]
