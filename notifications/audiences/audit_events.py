"""Events of the audit trail: audiences saved, renamed and deleted."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import changes
from notifications.audit_log import Detail, Event
from notifications.models import DraftVersion, GroupType

_TYPES = dict(GroupType.choices)


def _types(words: Any) -> str:
    return ", ".join(str(_TYPES.get(word, word)) for word in words)


_changes = changes(
    Detail("name", _("Name")),
    Detail("types", _("Types"), _types),
    Detail("labels", _("Labels")),
    Detail("name_contains", _("Name contains")),
    Detail("min_members", _("Members, at least")),
    Detail("max_members", _("Members, at most")),
    Detail("exceptions", _("Except these groups")),
)

AUDIENCE_SAVED = Event(
    "audience_saved",
    _("audience saved"),
    _("Saved the audience “%(audience)s”."),
    _changes,
)

AUDIENCE_DELETED = Event(
    "audience_deleted",
    _("audience deleted"),
    _("Deleted the audience “%(audience)s”."),
    _changes,
)

DRAFT_FOLLOWED = Event(
    DraftVersion.FOLLOWED,
    _("audience of a draft renamed"),
    _("Renamed the audience of this draft from “%(before)s” to “%(after)s”."),
    Detail("version", _("Version")),
)
