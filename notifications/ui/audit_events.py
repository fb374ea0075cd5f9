"""Events of the audit trail: the end of a download, and what all downloads have."""

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications.audit_log import Detail, Event, Values

FORMAT = Detail("format", _("Format"))


def filters(values: Values) -> Iterator[str]:
    chosen = values.get("filters") or {}
    words = ", ".join(f"{name}={value}" for name, value in chosen.items())
    yield gettext("Filters: %(value)s") % {
        "value": words or gettext("none, so all of it")
    }


def _unfinished(values: Values) -> Iterator[str]:
    if values.get("completed") is False:
        yield gettext("It was broken off before the end.")


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
