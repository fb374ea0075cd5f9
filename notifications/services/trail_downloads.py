"""Downloading the audit trail, which is itself in the audit trail: begin and end."""

import hashlib
from collections.abc import Generator, Iterator, Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet

from notifications import roles
from notifications.models import AuditEntry
from notifications.record import trail, trail_export

from .permissions import require


def download_trail(
    user: User,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Generator[bytes]:
    """The entries in pieces; ``filters`` is what the entry about this says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.SEE_TRAIL)
    require(user, roles.EXPORT_HISTORY)
    return recorded_export(
        user.get_username(), entries, file_format=file_format, filters=filters
    )


def recorded_export(
    actor: str,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Generator[bytes]:
    """As ``download_trail``, for whoever has the right to run commands here.

    The first entry is written at once, before any piece is asked for. It is the last
    that the file may hold: what is written meanwhile does not make it longer.
    """
    newest = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first()
    trail.write(
        AuditEntry.Action.TRAIL_EXPORTED,
        actor,
        format=file_format,
        filters=dict(filters),
    )
    text = trail_export.lines(entries.filter(pk__lte=newest or 0), file_format)
    return _to_the_end(
        actor, text, trail.present_origin(), has_heading=file_format == "csv"
    )


def _to_the_end(
    actor: str, text: Iterator[str], begun: trail.Origin | None, *, has_heading: bool
) -> Generator[bytes]:
    """The pieces, then an entry with their number and digest, also when broken off."""
    digest, lines, is_whole = hashlib.sha256(), 0, False
    try:
        for line in text:
            piece = line.encode()
            digest.update(piece)
            lines += 1
            yield piece
        is_whole = True
    finally:
        with trail.origin(begun):  # the request itself is over by now
            trail.write(
                AuditEntry.Action.EXPORT_ENDED,
                actor,
                rows=max(lines - has_heading, 0),
                sha256=digest.hexdigest(),
                completed=is_whole,
            )
