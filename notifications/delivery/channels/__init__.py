"""Channels: each file is one way to reach the members of a group, or to change a message."""

from notifications.delivery.channels.amendment import Correction, Recall
from notifications.delivery.channels.base import Channel
from notifications.delivery.channels.group_message import GroupMessage
from notifications.delivery.channels.system_notification import SystemNotification

CHANNELS: dict[str, Channel] = {
    channel.word: channel
    for channel in (SystemNotification(), GroupMessage(), Recall(), Correction())
}

# Those in which a person can write a notification.
WRITABLE = {
    word: channel for word, channel in CHANNELS.items() if not channel.is_amendment
}
