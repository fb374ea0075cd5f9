"""Channels: the ways to reach the members of a chat group.

A notification has one channel, which is copied to its deliveries. What differs between
channels is in ``delivery/channels``; only their words are here.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    SYSTEM_NOTIFICATION = "system_notification", _("System notification")
    GROUP_MESSAGE = "group_message", _("Group message")
