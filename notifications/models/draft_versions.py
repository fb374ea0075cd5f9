"""Versions of drafts: every text that was saved, also of drafts that were deleted."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _

from notifications.models.channels import Channel
from notifications.models.notifications import NOTE_MAX_LENGTH, Notification


class DraftVersion(models.Model):
    """A draft as one person wrote it; guards of the database refuse any change.

    The audit entry of the save holds the SHA-256 of the version, and the seal of the
    trail covers that entry. The number of the notification is no foreign key: versions
    are kept when the draft is deleted.
    """

    # The audit events of a save and of a renamed audience; their entries have ``version``
    # and ``version_sha256``.
    SAVED = "draft_saved"
    FOLLOWED = "draft_followed"
    DELETED = "draft_deleted"

    notification_number = models.BigIntegerField()
    number = models.PositiveIntegerField()  # 1, 2, 3, … of the same draft
    saved_at = models.DateTimeField(_("saved"))
    author = models.CharField(_("by"), max_length=150)
    author_number = models.BigIntegerField()  # the id of that user
    # As in ``Notification``.
    content = models.TextField(_("message"))
    note = models.CharField(
        _("note for the history"), max_length=NOTE_MAX_LENGTH, blank=True
    )
    recipients = models.TextField(_("members"), blank=True)
    audience = models.CharField(
        _("send to"), max_length=8, choices=Notification.Audience
    )
    audience_values = models.JSONField(default=list)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        default=Channel.SYSTEM_NOTIFICATION,
        db_default=Channel.SYSTEM_NOTIFICATION,
    )
    message_options = models.TextField(blank=True, default="", db_default="")
    # Of the line whose digest is in the audit trail; 1 until release 0.1.0.
    line_format = models.PositiveSmallIntegerField(default=2, db_default=1)

    class Meta:
        verbose_name = _("version of a draft")
        verbose_name_plural = _("versions of drafts")
        ordering: ClassVar = ["notification_number", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notification_number", "number"], name="draft_version_once"
            ),
            CheckConstraint(condition=Q(number__gte=1), name="draft_version_from_1"),
            CheckConstraint(condition=~Q(author=""), name="draft_version_has_author"),
            CheckConstraint(condition=~Q(content=""), name="draft_version_has_content"),
            CheckConstraint(
                condition=Q(audience__in=["chosen", "rule", "saved", "every"]),
                name="draft_version_audience_known",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.notification_number} version {self.number}"

    @property
    def recipient_ids(self) -> list[str] | None:
        """The named members, or ``None`` for everyone in the group."""
        return self.recipients.splitlines() or None
