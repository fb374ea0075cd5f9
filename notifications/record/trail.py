"""Writes the audit trail. Every action of a person or of the engine passes here."""

from typing import Any

from notifications.models import AuditEntry


def write(
    action: AuditEntry.Action,
    actor: str,
    *,
    notification: int | None = None,
    delivery: int | None = None,
    **detail: Any,
) -> None:
    """Insert one entry; call it inside the transaction of the action itself.

    ``actor`` is a username or ``worker N``; ``detail`` must be plain JSON values.
    """
    AuditEntry.objects.create(
        action=action,
        actor=actor,
        notification_number=notification,
        delivery_number=delivery,
        detail=detail,
    )
