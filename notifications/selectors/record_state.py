"""How far the record is sealed, and what the last verification of it found."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Subquery

from notifications.models import AuditEntry, Seal

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
    """One query, and one more as long as nothing was ever verified.

    Verifications of a part of the record do not count.
    """
    verifications = AuditEntry.objects.filter(
        action=AuditEntry.Action.VERIFIED, detail__only=None, detail__since=None
    )
    seals = Seal.objects.order_by("-number")
    verified = (
        verifications.annotate(
            head=Subquery(seals.values("head")[:1]),
            sealed_at=Subquery(seals.values("sealed_at")[:1]),
        )
        .order_by("-id")
        .first()
    )
    if verified is None:
        seal = newest()
        return RecordState(seal.head, seal.sealed_at) if seal else RecordState()
    return RecordState(
        head=verified.head or "",
        sealed_at=verified.sealed_at,
        verified_at=verified.at,
        unchanged=bool(verified.detail.get("unchanged")),
    )
