"""The audit trail: actions of people and of the engine other than deliveries."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One action. Names are copied and numbers are no foreign keys: entries are kept."""

    at = models.DateTimeField(_("time"), default=timezone.now)
    action = models.CharField(_("action"), max_length=20)  # the word of an Event
    actor = models.CharField(_("by"), max_length=150)  # a username, or "worker N"
    actor_name = models.CharField(max_length=150, blank=True)  # full name at that time
    by_superuser = models.BooleanField(default=False)
    # The client's address and the request: its entries share one request number.
    address = models.CharField(max_length=45, blank=True)
    request_number = models.UUIDField(null=True)
    notification_number = models.BigIntegerField(null=True)
    delivery_number = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    # Actions whose entries have the number of the deliveries that they created.
    CREATING_DELIVERIES = ("sent", "scheduled", "resent", "recalled", "corrected")

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["notification_number", "id"]),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            # Otherwise a person without such an action would cost a scan of all actions.
            models.Index(fields=["actor", "action", "-id"], name="audit_by_both"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["request_number", "-id"], name="audit_by_request"),
            models.Index(fields=["address", "-id"], name="audit_by_address"),
        ]
        permissions: ClassVar = [("view_trail", _("May see the audit trail"))]
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
