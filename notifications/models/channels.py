"""Channels: the ways to reach the members of a chat group, and to change what was sent.

A notification has one channel, which is copied to its deliveries. What differs between
channels is in ``delivery/channels``; only their words are here.

A recall takes the messages of another notification back, a correction replaces their
text: both are notifications that amend another one, so the engine, the record and the
pages treat them like a send (docs/decisions/0027).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    SYSTEM_NOTIFICATION = "system_notification", _("System notification")
    GROUP_MESSAGE = "group_message", _("Group message")
    RECALL = "recall", _("Recall")
    CORRECTION = "correction", _("Correction")

    @property
    def accepted_label(self) -> str:
        """The result of a delivery whose call Tencent accepted."""
        words = {Channel.RECALL: _("Taken back"), Channel.CORRECTION: _("Corrected")}
        return str(words.get(self, _("Accepted")))


AMENDING = [Channel.RECALL, Channel.CORRECTION]
