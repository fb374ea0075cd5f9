"""Audit events of groups, labels, import and sync."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from notifications.audit.presentation import changes, choice
from notifications.audit_log import Detail, Event, Values
from notifications.delivery.audit_events import CODE, GROUPS
from notifications.models import ChatGroup, GroupSync, GroupType
from notifications.ui.audit_events import DIGEST, filters

_FIELDS = (
    Detail("group_id", _("Group ID")),
    Detail("name", _("Name")),
    Detail("type", _("Type"), choice(dict(GroupType.choices))),
    Detail("member_count", _("Members")),
    Detail("state", _("State"), choice(dict(ChatGroup.State.choices))),
)

_changes = changes(*_FIELDS)


def _filters(values: Values) -> Iterator[str]:
    """The filters, when all groups that match them were selected."""
    if "filters" in values:
        yield from filters(values)


_SELECTION = (Detail("named", _("Groups")), DIGEST, _filters)

_LABEL_DETAILS = (
    Detail("labels", _("Labels")),
    Detail("labels_count", _("Number of labels")),
    *_SELECTION,
)


def _new_values(values: Values) -> Iterator[str]:
    """The values of a new group."""
    keys = [field.key for field in _FIELDS]
    after = {key: value for key, value in values.items() if key in keys}
    return _changes({"before": {}, "after": after})


GROUP_ADDED = Event("group_added", _("group added"), _("Added a group."), _new_values)

GROUP_CHANGED = Event(
    "group_changed", _("group changed"), _("Changed the group %(group_id)s."), _changes
)

SWITCHED_OFF = Event(
    "switched_off",
    _("groups switched off"),
    ngettext_lazy("Switched %(n)d group off.", "Switched %(n)d groups off.", "n"),
    *_SELECTION,
    count="groups",
)

SWITCHED_ON = Event(
    "switched_on",
    _("groups switched on"),
    ngettext_lazy("Switched %(n)d group on.", "Switched %(n)d groups on.", "n"),
    *_SELECTION,
    count="groups",
)

GROUPS_EXPORTED = Event(
    "groups_exported",
    _("list of groups downloaded"),
    ngettext_lazy(
        "Downloaded the list of %(n)d group.",
        "Downloaded the list of %(n)d groups.",
        "n",
    ),
    filters,
    count="groups",
)

IMPORTED = Event(
    "imported",
    _("groups imported"),
    _("Imported groups from a file."),
    Detail("file", _("File")),
    Detail("added", _("Added")),
    Detail("updated", _("Changed")),
    Detail("unchanged", _("Unchanged")),
    Detail("rejected", _("Lines with errors")),
)

SYNC_REQUESTED = Event(
    "sync_requested",
    _("sync of the groups asked for"),
    _("Asked for a sync of the groups."),
)

SYNC_ENDED = Event(
    "sync_ended",
    _("sync of the groups ended"),
    _("A sync of the groups ended."),
    Detail("status", _("State"), choice(dict(GroupSync.Status.choices))),
    Detail("added", _("Added")),
    Detail("changed", _("Changed")),
    Detail("closed", _("Closed")),
    Detail("reopened", _("Open again")),
    Detail("unknown_type", _("Unknown type")),
    Detail("not_read", _("Not read")),
    CODE,
)

LABELS_ADDED = Event(
    "labels_put",
    _("labels put on groups"),
    ngettext_lazy("Put labels on %(n)d group.", "Put labels on %(n)d groups.", "n"),
    *_LABEL_DETAILS,
    count="groups",
)

LABELS_REMOVED = Event(
    "labels_taken",
    _("labels taken off groups"),
    ngettext_lazy("Took labels off %(n)d group.", "Took labels off %(n)d groups.", "n"),
    *_LABEL_DETAILS,
    count="groups",
)

LABEL_RENAMED = Event(
    "label_renamed",
    _("label renamed"),
    _("Renamed the label “%(label)s” to “%(new)s”."),
)

LABEL_DELETED = Event(
    "label_deleted", _("label deleted"), _("Deleted the label “%(label)s”."), GROUPS
)
