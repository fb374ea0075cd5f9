"""Single seals, as pages and files show them.

Read without the digests of the rows, which may be megabytes.
"""

from notifications.models import Seal


def newest() -> Seal | None:
    """The last of the chain; ``None`` before the first."""
    return Seal.objects.order_by("-number").defer("leaves").first()


def head() -> str:
    """The head of the newest seal: 64 hexadecimal digits, empty before the first."""
    found = newest()
    return found.head if found else ""


def seal_of(notification: int) -> Seal | None:
    """The seal of a notification; ``None`` before it is sealed."""
    return Seal.objects.filter(notification_id=notification).defer("leaves").first()
