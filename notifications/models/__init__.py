"""The tables. Each file answers for one of them and its transitions."""

from .audit import AuditEntry
from .deliveries import Attempt, Delivery
from .groups import ChatGroup, GroupType
from .installation import Installation, SendingSwitch
from .notifications import Notification, WrongState
from .workers import Pace, Worker

__all__ = [
    "Attempt",
    "AuditEntry",
    "ChatGroup",
    "Delivery",
    "GroupType",
    "Installation",
    "Notification",
    "Pace",
    "SendingSwitch",
    "Worker",
    "WrongState",
]
