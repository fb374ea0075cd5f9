"""Channels: each file is one way to reach the members of a group."""

from notifications.delivery.channels.base import Channel
from notifications.delivery.channels.group_message import GroupMessage
from notifications.delivery.channels.system_notification import SystemNotification

CHANNELS: dict[str, Channel] = {
    channel.word: channel for channel in (SystemNotification(), GroupMessage())
}
