"""What the application may do at Tencent: the names of its capabilities.

A probe (``system/probe``) finds them out and stores one row for each.
"""

SYSTEM_NOTIFICATION = "system_notification"
GROUP_MESSAGE = "group_message"
NAMED_MEMBERS = "named_members"  # in group messages
RECEIPTS = "receipts"  # how many members have read a message
RECALL = "recall"
HISTORY = "history"
REPEAT = "repeat"  # a repeat with the same Random shows the message once
ONLINE_ONLY_SEQ = "online_only_seq"  # a message to online members has a MsgSeq
TARGETED_IN_HISTORY = "targeted_in_history"  # the history has messages to named members
BROADCAST = "broadcast"  # one call for all live rooms; a probe never makes it
CALLBACKS = "callbacks"  # Tencent reports messages to us; a probe cannot find out

NAMES = (
    SYSTEM_NOTIFICATION,
    GROUP_MESSAGE,
    NAMED_MEMBERS,
    RECEIPTS,
    RECALL,
    HISTORY,
    REPEAT,
    ONLINE_ONLY_SEQ,
    TARGETED_IN_HISTORY,
    BROADCAST,
    CALLBACKS,
)
