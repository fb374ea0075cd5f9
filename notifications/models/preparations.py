"""Sends whose deliveries are being created in several transactions."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models.notifications import Notification


class Preparation(models.Model):
    """A draft that is being sent; the row exists until its deliveries are complete.

    Its ``token`` belongs to one process. Another process that removes the deliveries of
    an abandoned send replaces the token, and with it ends the first process.
    """

    notification = models.OneToOneField(
        Notification, models.PROTECT, primary_key=True, related_name="preparation"
    )
    token = models.UUIDField(default=uuid.uuid4)
    # When the process last inserted or removed deliveries.
    active_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("preparation of a send")
        verbose_name_plural = _("preparations of sends")

    def __str__(self) -> str:
        return f"#{self.pk}"
