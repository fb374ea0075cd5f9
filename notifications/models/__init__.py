"""The tables. Each file answers for one of them and its transitions.

Every rule that a row can state about itself is a constraint of the database. Whatever
writes a row, the console, a command, a shell or SQL by hand, cannot break them. Not
among them: what compares times of two machines, whose clocks may differ. A check that
comes to NULL passes, so each comparison with a column that may be NULL says also that
it is not.
"""

from .access import ExternalIdentity, LoginSession, RecoveryCode, stored_key
from .attempts import Attempt
from .audiences import Rule, SavedAudience
from .audit import AuditEntry
from .deliveries import Delivery
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
    "ExternalIdentity",
    "GroupImport",
    "GroupSync",
    "GroupType",
    "Installation",
    "Label",
    "LoginSession",
    "Notification",
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
