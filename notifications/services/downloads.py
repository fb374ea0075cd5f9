"""Downloading the history: who did it with which filters is written down first."""

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry
from notifications.record import export, export_formats, trail
from notifications.selectors.occurring import Live
from notifications.selectors.seals import head
from notifications.selectors.wanted import DeliveryFilter

from .permissions import require


class Download:
    """The bytes of the file, piece by piece; at its end the entry with its digest.

    ``close`` says that nobody reads on; the entry then says so too. What was never begun
    to be read has no second entry.
    """

    def __init__(self, actor: str, pieces: Generator[export_formats.Piece]) -> None:
        self._actor = actor
        self._pieces = pieces
        self._digest = hashlib.sha256()
        self._rows = 0
        self._has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece, rows = next(self._pieces)
        except StopIteration:
            self._end(completed=True)
            raise
        self._digest.update(piece)
        self._rows += rows
        return piece

    def close(self) -> None:
        self._pieces.close()  # its queries end here, not whenever memory is tidied
        self._end(completed=False)

    def _end(self, *, completed: bool) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        trail.write(
            AuditEntry.Action.EXPORT_ENDED,
            self._actor,
            rows=self._rows,
            sha256=self._digest.hexdigest(),
            completed=completed,
        )


def download(
    user: User,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """The deliveries as a file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.EXPORT_HISTORY)
    return export_as(
        user.get_username(), wanted, live, file_format=file_format, filters=filters
    )


def export_as(
    actor: str,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """As ``download``, for who runs commands on the server and needs no role."""
    trail.write(
        AuditEntry.Action.EXPORTED, actor, format=file_format, filters=dict(filters)
    )
    pieces = export_formats.pieces(export.pages(wanted, live), file_format)
    return Download(actor, pieces)


def file_name(file_format: str) -> str:
    """With the day, and the start of the head of the seals: a copy outside of the server.

    "none" where nothing is sealed yet.
    """
    mark = head()[:12] or "none"
    return f"history-{timezone.localdate():%Y-%m-%d}-{mark}.{file_format}"
