"""How far the record is sealed, and what the last verification of it found."""

from dataclasses import dataclass
from datetime import datetime

from notifications.models import AuditEntry

from .seals import newest


@dataclass(frozen=True, slots=True)
class RecordState:
    """``head`` is empty before the first seal, ``verified_at`` is ``None`` before the
    first whole verification."""

    head: str = ""
    sealed_at: datetime | None = None
    verified_at: datetime | None = None
    unchanged: bool = False


def record_state() -> RecordState:
    """Two queries; verifications of a part of the record do not count."""
    seal = newest()
    verified = (
        AuditEntry.objects.filter(
            action=AuditEntry.Action.VERIFIED, detail__only=None, detail__since=None
        )
        .order_by("-id")
        .first()
    )
    return RecordState(
        head=seal.head if seal else "",
        sealed_at=seal.sealed_at if seal else None,
        verified_at=verified.at if verified else None,
        unchanged=bool(verified and verified.detail.get("unchanged")),
    )
