"""Audit events: the end of a download, and the details that all downloads share."""

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications.audit_log import Detail, Event, Values

FORMAT = Detail("format", _("Format"))


def filters(values: Values) -> Iterator[str]:
    parameters = values.get("filters") or {}
    text = ", ".join(f"{name}={value}" for name, value in parameters.items())
    yield gettext("Filters: %(value)s") % {
        "value": text or gettext("none, so all of it")
    }


def _unfinished(values: Values) -> Iterator[str]:
    if values.get("completed") is False:
        yield gettext("It was broken off before the end.")


# Of ``audit_log.named``.
DIGEST = Detail("digest", _("SHA-256 of all names, one per line"))

EXPORT_ENDED = Event(
    "export_ended",
    _("download ended"),
    ngettext_lazy(
        "The download ended after %(n)d row.",
        "The download ended after %(n)d rows.",
        "n",
    ),
    _unfinished,
    Detail("sha256", _("SHA-256 of the file")),
    count="rows",
)
