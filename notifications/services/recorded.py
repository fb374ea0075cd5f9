"""A download that is in the audit trail: when it begins, and how it ended."""

import hashlib
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from notifications.models import AuditEntry
from notifications.record import trail
from notifications.record.export_formats import Piece


class Download:
    """The bytes of the file, piece by piece.

    The first entry is written at once, before any piece is asked for; the last, at the
    end of the file, has its digest. ``close`` says that nobody reads on, or ever began
    to; the last entry then says so too.
    """

    def __init__(
        self,
        action: AuditEntry.Action,
        actor: str,
        pieces: Generator[Piece],
        *,
        file_format: str,
        filters: Mapping[str, str],
        **detail: Any,
    ) -> None:
        trail.write(action, actor, format=file_format, filters=dict(filters), **detail)
        self._actor = actor
        self._pieces = pieces
        # The request itself is over before the file is.
        self._origin = trail.present_origin()
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
        with trail.origin(self._origin):
            trail.write(
                AuditEntry.Action.EXPORT_ENDED,
                self._actor,
                rows=self._rows,
                sha256=self._digest.hexdigest(),
                completed=completed,
            )
