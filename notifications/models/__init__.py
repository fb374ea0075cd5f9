"""The tables. Each file answers for one of them and its transitions."""

from .audit import AuditEntry
from .deliveries import Attempt, Delivery
from .groups import ChatGroup, GroupType
from .installation import Installation, SendingSwitch
from .notifications import Notification, WrongState
from .seals import Archive, Seal, Tally
from .workers import Pace, Worker

__all__ = [
    "Archive",
    "Attempt",
    "AuditEntry",
    "ChatGroup",
    "Delivery",
    "GroupType",
    "Installation",
    "Notification",
    "Pace",
    "Seal",
    "SendingSwitch",
    "Tally",
    "Worker",
    "WrongState",
]
