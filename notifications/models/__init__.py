"""The tables, one file per topic.

Every rule about a single row is a constraint of the database, so neither the console, a
command, a shell nor SQL by hand can break it. Exceptions are comparisons of times from two
machines, whose clocks may differ. A check that evaluates to NULL passes, so each
comparison with a nullable column also requires that the column is not NULL.
"""

from .access import (
    Approval,
    LoginSession,
    UsedUsername,
    is_in_browser,
    stored_key,
)
from .attempts import Attempt
from .audiences import Rule, SavedAudience
from .audit import AuditEntry
from .capabilities import Capability
from .channels import AMENDING, Channel
from .deliveries import Delivery
from .delivery_queries import DeliveryQuery
from .draft_versions import DraftVersion
from .groups import ChatGroup, GroupImport, GroupType, Label
from .notification_states import WrongState
from .notifications import Notification
from .preparations import Preparation
from .record import Archive, Seal, Tally
from .syncs import GroupSync, SyncChange, SyncItem
from .worker_requests import WorkerRequest
from .workers import Installation, Pace, SendingSwitch, TaskDeaths, Worker

__all__ = [
    "AMENDING",
    "Approval",
    "Archive",
    "Attempt",
    "AuditEntry",
    "Capability",
    "Channel",
    "ChatGroup",
    "Delivery",
    "DeliveryQuery",
    "DraftVersion",
    "GroupImport",
    "GroupSync",
    "GroupType",
    "Installation",
    "Label",
    "LoginSession",
    "Notification",
    "Pace",
    "Preparation",
    "Rule",
    "SavedAudience",
    "Seal",
    "SendingSwitch",
    "SyncChange",
    "SyncItem",
    "Tally",
    "TaskDeaths",
    "UsedUsername",
    "Worker",
    "WorkerRequest",
    "WrongState",
    "is_in_browser",
    "stored_key",
]
