"""The tables. Each file answers for one of them and its transitions."""

from .access import LoginSession, OutsideLogin, RecoveryCode, stored_key
from .audiences import Rule, SavedAudience
from .audit import AuditEntry
from .deliveries import Attempt, Delivery
from .groups import ChatGroup, GroupImport, GroupType, Label
from .notification_states import WrongState
from .notifications import Notification
from .record import Archive, Seal, Tally
from .syncs import GroupSync, SyncChange, SyncItem
from .workers import Installation, Pace, SendingSwitch, Worker

__all__ = [
    "Archive",
    "Attempt",
    "AuditEntry",
    "ChatGroup",
    "Delivery",
    "GroupImport",
    "GroupSync",
    "GroupType",
    "Installation",
    "Label",
    "LoginSession",
    "Notification",
    "OutsideLogin",
    "Pace",
    "RecoveryCode",
    "Rule",
    "SavedAudience",
    "Seal",
    "SendingSwitch",
    "SyncChange",
    "SyncItem",
    "Tally",
    "Worker",
    "WrongState",
    "stored_key",
]
