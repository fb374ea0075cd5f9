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
        GROUPS_EXPORTED = "groups_exported", _("list of groups downloaded")
        SYNC_REQUESTED = "sync_requested", _("sync of the groups asked for")
        SYNC_ENDED = "sync_ended", _("sync of the groups ended")
        LABELS_PUT = "labels_put", _("labels put on groups")
        LABELS_TAKEN = "labels_taken", _("labels taken off groups")
        LABEL_RENAMED = "label_renamed", _("label renamed")
        LABEL_DELETED = "label_deleted", _("label deleted")
        AUDIENCE_SAVED = "audience_saved", _("audience saved")
        AUDIENCE_DELETED = "audience_deleted", _("audience deleted")
        GROUP_ADDED = "group_added", _("group added")
        GROUP_CHANGED = "group_changed", _("group changed")
        SWITCHED_OFF = "switched_off", _("groups switched off")
        SWITCHED_ON = "switched_on", _("groups switched on")
        EXPORTED = "exported", _("history downloaded")
        EXPORT_ENDED = "export_ended", _("download ended")
        TRAIL_EXPORTED = "trail_exported", _("audit trail downloaded")
        EVIDENCE = "evidence", _("evidence downloaded")
        ARCHIVED = "archived", _("moved to the archive")
        VERIFIED = "verified", _("record verified")
        LOGGED_IN = "logged_in", _("logged in")
        LOGIN_REFUSED = "login_refused", _("login refused")
        LOGGED_OUT = "logged_out", _("logged out")
        LOCKED_OUT = "locked_out", _("locked out after wrong logins")
        SESSIONS_ENDED = "sessions_ended", _("logged out everywhere")
        FACTOR_SET = "factor_set", _("second factor set up")
        FACTOR_REFUSED = "factor_refused", _("second factor refused")
        FACTOR_REMOVED = "factor_removed", _("second factor removed")
        RECOVERY_USED = "recovery_used", _("recovery code used")
        RECOVERY_MADE = "recovery_made", _("new recovery codes")
        DRAFT_SAVED = "draft_saved", _("draft saved")
        DRAFT_DELETED = "draft_deleted", _("draft deleted")
        PERSON_ADDED = "person_added", _("person added")
        PERSON_CHANGED = "person_changed", _("person changed")
        PASSWORD_CHANGED = "password_changed", _("password changed")
        ROLE_ADDED = "role_added", _("role added")
        ROLE_CHANGED = "role_changed", _("role changed")
        ROLE_DELETED = "role_deleted", _("role deleted")
        SETTINGS_CHANGED = "settings_changed", _("settings changed")
        CONNECTION_CHECKED = "connection_checked", _("connection checked")
        LATE_ANSWER = "late_answer", _("answer after the delivery was given up")

    at = models.DateTimeField(_("time"), default=timezone.now)
    action = models.CharField(_("action"), max_length=20, choices=Action)
    actor = models.CharField(_("by"), max_length=150)  # a username, or "worker N"
    actor_name = models.CharField(max_length=150, blank=True)  # the full name then
    by_superuser = models.BooleanField(default=False)
    # From where, and which request: all entries of one click share the number.
    address = models.CharField(max_length=45, blank=True)
    request_number = models.UUIDField(null=True)
    notification_number = models.BigIntegerField(null=True)
    delivery_number = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["notification_number", "id"]),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            # One who never did this would cost a look at all that was done.
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
