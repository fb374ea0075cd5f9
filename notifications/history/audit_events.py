"""Audit events of the history: downloads and archiving."""

from django.utils.translation import gettext_lazy as _

from notifications.audit_log import Detail, Event
from notifications.ui.audit_events import FORMAT, filters

EXPORTED = Event(
    "exported", _("history downloaded"), _("Downloaded the history."), FORMAT, filters
)

EVIDENCE = Event(
    "evidence",
    _("evidence downloaded"),
    _("Downloaded the evidence of the notification."),
)

ARCHIVED = Event(
    "archived",
    _("moved to the archive"),
    _("Moved the deliveries to the archive."),
    Detail("file_name", _("File")),
)
