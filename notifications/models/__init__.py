"""The tables. Each file answers for one of them and its transitions."""

from .access import LoginSession, OutsideLogin, RecoveryCode, stored_key
from .audiences import Rule, SavedAudience
from .audit import AuditEntry
from .deliveries import Attempt, Delivery
from .groups import ChatGroup, GroupType
from .imports import GroupImport
from .installation import Installation, SendingSwitch
from .labels import Label
from .notifications import Notification, WrongState
from .seals import Archive, Seal, Tally
from .syncs import GroupSync, SyncChange, SyncItem
from .workers import Pace, Worker

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
