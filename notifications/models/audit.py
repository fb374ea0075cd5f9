"""The audit trail: what people and the engine did beside the deliveries."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One action. Names are copied, numbers are plain: an entry outlives its subject."""

    class Action(models.TextChoices):
        SENT = "sent", _("sent")
        SCHEDULED = "scheduled", _("scheduled")
        STARTED = "started", _("started on schedule")
        EXPIRED = "expired", _("stopped: the time “not after” passed")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("continued")
        STOPPED = "stopped", _("stopped")
        RESENT = "resent", _("sent again")
        RESOLVED = "resolved", _("cleared up")
        ALL_STOPPED = "all_stopped", _("all sending stopped")
        ALL_ALLOWED = "all_allowed", _("all sending allowed again")
        QUARANTINED = "quarantined", _("put in quarantine after a restore")
        IMPORTED = "imported", _("groups imported")
        GROUP_ADDED = "group_added", _("group added")
        GROUP_CHANGED = "group_changed", _("group changed")
        SWITCHED_OFF = "switched_off", _("groups switched off")
        SWITCHED_ON = "switched_on", _("groups switched on")
        EXPORTED = "exported", _("history downloaded")
        LATE_ANSWER = "late_answer", _("answer after the delivery was given up")

    at = models.DateTimeField(_("time"), default=timezone.now)
    action = models.CharField(_("action"), max_length=16, choices=Action)
    actor = models.CharField(_("by"), max_length=150)  # a username, or "worker N"
    notification_number = models.BigIntegerField(null=True)
    delivery_number = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["notification_number", "id"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(action=""), name="audit_has_action"
            ),
            models.CheckConstraint(
                condition=~models.Q(actor=""), name="audit_has_actor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action}"
