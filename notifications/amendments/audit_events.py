"""Events of the audit trail: recalls and corrections."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from notifications.audit_log import Detail, Event
from notifications.delivery.audit_events import LEFT_OUT, NOTE, RULE

RECALLED = Event(
    "recalled",
    _("taken back"),
    ngettext_lazy(
        "Took notification %(of)s back from %(n)d group.",
        "Took notification %(of)s back from %(n)d groups.",
        "n",
    ),
    Detail("reason", _("Reason")),
    RULE,
    LEFT_OUT,
    count="groups",
)

CORRECTED = Event(
    "corrected",
    _("corrected"),
    ngettext_lazy(
        "Corrected notification %(of)s in %(n)d group.",
        "Corrected notification %(of)s in %(n)d groups.",
        "n",
    ),
    NOTE,
    RULE,
    LEFT_OUT,
    count="groups",
)
