"""Events of the audit trail: drafts, and notifications sent from them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from notifications.audit.presentation import choice
from notifications.audit_log import Detail, Event
from notifications.delivery.audit_events import (
    CHANNEL,
    LEFT_OUT,
    NOT_AFTER,
    RULE,
    WRITTEN_BY,
    excepted,
)
from notifications.models import DraftVersion

# Without text, note and groups: the trail is read while the draft is still being written,
# and the version, whose digest the entry has, keeps them.
DRAFT_SAVED = Event(
    DraftVersion.SAVED,
    _("draft saved"),
    _("Saved a draft."),
    Detail("version", _("Version")),
)

DRAFT_DELETED = Event(
    DraftVersion.DELETED, _("draft deleted"), _("Threw a draft away.")
)

HANDED_OVER = Event(
    "draft_handed_over",
    _("draft handed over"),
    _("Handed the draft of %(of)s over to %(to)s."),
)

SENT = Event(
    "sent",
    _("sent"),
    ngettext_lazy("Sent it to %(n)d group.", "Sent it to %(n)d groups.", "n"),
    CHANNEL,
    WRITTEN_BY,
    RULE,
    excepted,
    NOT_AFTER,
    LEFT_OUT,
    count="groups",
)

RESENT = Event(
    "resent",
    _("sent again"),
    ngettext_lazy(
        "Sent notification %(of)s again to %(n)d group.",
        "Sent notification %(of)s again to %(n)d groups.",
        "n",
    ),
    Detail(
        "kind",
        _("Which groups"),
        choice(
            {
                "failed": _("those that failed"),
                "unconfirmed": _("those that were not confirmed"),
            }
        ),
    ),
    CHANNEL,
    NOT_AFTER,
    count="groups",
)
