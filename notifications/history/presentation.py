"""Sentences about archived deliveries, and about messages as Tencent knows them."""

from datetime import UTC, date, datetime, timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import Delivery
from notifications.record import queries as record_queries
from notifications.tencent.message_options import MessageOptions


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


def message_at_tencent(delivery: Delivery) -> str:
    """The number and the time of a message; empty if Tencent gave no number."""
    if delivery.msg_seq is None:
        return ""
    if delivery.msg_time is None:
        return _("It is message %(number)d of the group.") % {
            "number": delivery.msg_seq
        }
    moment = timezone.localtime(datetime.fromtimestamp(delivery.msg_time, UTC))
    return _(
        "It is message %(number)d of the group, of %(time)s %(zone)s (Tencent’s clock)."
    ) % {
        "number": delivery.msg_seq,
        "time": f"{moment:%Y-%m-%d %H:%M:%S}",
        "zone": timezone.get_current_timezone_name(),
    }


def option_rows(options: MessageOptions) -> list[tuple[str, str]]:
    """Labels and values of the options that differ from their defaults."""
    yes = _("Yes")
    size = f"{options.image_width} × {options.image_height}"
    values = {
        _("Sender account"): options.from_account,
        _("Mention everyone (@all)"): yes if options.mention_all else "",
        _("Priority"): options.priority if options.priority != "Normal" else "",
        _("Only members who are online"): yes if options.online_only else "",
        _("Not counted as unread"): yes if options.no_unread else "",
        _("Not shown as last message"): yes if options.no_last_message else "",
        _("Offline push"): "" if options.push else _("No"),
        _("Push title"): options.push_title,
        _("Push text"): options.push_text,
        _("Image"): f"{options.image_url} ({size})" if options.image_url else "",
        _("Custom data"): options.custom_data,
    }
    return [(label, value) for label, value in values.items() if value]
