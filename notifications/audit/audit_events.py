"""Events of the audit trail: its own download, and changed settings."""

from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import changes
from notifications.audit_log import Event
from notifications.ui.audit_events import FORMAT, filters

TRAIL_EXPORTED = Event(
    "trail_exported",
    _("audit trail downloaded"),
    _("Downloaded the audit trail."),
    FORMAT,
    filters,
)

SETTINGS_CHANGED = Event(
    "settings_changed",
    _("settings changed"),
    _("At its start, the worker found other settings."),
    changes(),
)
