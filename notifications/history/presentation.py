"""Sentences about archived deliveries, which the lists lack."""

from datetime import date, timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.record import queries as record_queries


class ArchivedDelivery(Http404):
    """The delivery was archived; the message names the file."""


def missing_delivery(pk: int) -> Http404:
    """Return the exception for a delivery that is archived or never existed."""
    files = record_queries.archive_files_with(pk)
    if not files:
        return Http404()
    return ArchivedDelivery(
        _(
            "Delivery %(number)d is not here any more. Look for it in the archive, file "
            "%(files)s."
        )
        % {"number": pk, "files": ", ".join(files)}
    )


def end_of_list(notification: int | None, since: date | None) -> str:
    """The notice on the last page of deliveries; empty if nothing is archived.

    ``notification`` and ``since`` are filters of the list.
    """
    if notification is not None:
        name = record_queries.archive_file_of(notification)
        if not name:
            return ""
        return _(
            "The deliveries of this notification are archived (file %(name)s)."
        ) % {"name": name}
    extent = record_queries.archive_extent()
    if extent is None:
        return ""
    day = timezone.localtime(extent.until).date() + timedelta(days=1)
    if since is not None and since >= day:
        return ""
    return ngettext(
        "Older than %(day)s is archived: the deliveries of %(n)d notification.",
        "Older than %(day)s is archived: the deliveries of %(n)d notifications.",
        extent.notifications,
    ) % {"day": day.isoformat(), "n": extent.notifications}


def archived_count() -> str:
    """The notice below figures that include archived deliveries."""
    return _(
        "Deliveries of these days are archived: they are counted here, but the lists do "
        "not show them any more."
    )
