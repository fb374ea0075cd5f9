"""Sentences about what is in the archive instead of in the lists."""

from datetime import date, timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.record import queries as record_queries


class ArchivedPart(Http404):
    """A page whose subject has moved; the sentence says where to."""


def missing_delivery(pk: int) -> Http404:
    """To raise for a delivery that is not there: archived, or there never was one."""
    files = record_queries.files_with(pk)
    if not files:
        return Http404()
    return ArchivedPart(
        _(
            "Delivery %(number)d is not here any more. Look for it in the archive, file "
            "%(files)s."
        )
        % {"number": pk, "files": ", ".join(files)}
    )


def end_of_list(notification: int | None, since: date | None) -> str:
    """What the last page of the deliveries says; empty where nothing is left out.

    ``notification`` and ``since`` are filters of the list.
    """
    if notification is not None:
        name = record_queries.file_of(notification)
        return of_notification(name) if name else ""
    extent = record_queries.extent()
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
    """What is said under figures that count what the lists lack."""
    return _(
        "Deliveries of these days are archived: they are counted here, but the lists do "
        "not show them any more."
    )


def of_notification(file_name: str) -> str:
    return _("The deliveries of this notification are archived (file %(name)s).") % {
        "name": file_name
    }
