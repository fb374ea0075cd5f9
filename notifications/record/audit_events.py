"""Events of the audit trail: the record was verified."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import line, moment
from notifications.audit_log import Detail, Event, Values


def _result(values: Values) -> Iterator[str]:
    """What the verification found; of several differences, the first."""
    if "unchanged" not in values:
        return
    words = gettext("unchanged") if values["unchanged"] else gettext("CHANGED")
    yield line(gettext("Result"), words)
    yield from (values.get("differences") or [])[:1]


VERIFIED = Event(
    "verified",
    _("record verified"),
    _("Verified the record."),
    _result,
    Detail("only", _("Notification no.")),
    Detail("since", _("What was sealed from"), moment),
    Detail("head", _("Head of the seals")),
)
