"""Audit events: sealing and verification of the record."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import line, moment
from notifications.audit_log import Detail, Event, Values


def _result(values: Values) -> Iterator[str]:
    """The result of the verification, and its first difference."""
    if "unchanged" not in values:
        return
    unread = values.get("archived")
    if not values["unchanged"]:
        result = gettext("CHANGED")
    elif unread and not values.get("without_archives"):
        result = gettext("cannot tell")
    else:
        result = gettext("unchanged")
    yield line(gettext("Result"), result)
    if unread:
        yield line(gettext("Archive files that were not read"), unread)
    yield from (values.get("differences") or [])[:1]


NOT_SEALED = Event(
    "not_sealed",
    _("not sealed"),
    _("Could not seal rows of the record."),
    Detail("problem", _("Problem")),
)
VERIFIED = Event(
    "verified",
    _("record verified"),
    _("Verified the record."),
    _result,
    Detail("only", _("Notification no.")),
    Detail("since", _("What was sealed from"), moment),
    Detail("head", _("Head of the seals")),
)
