"""Seals, result counts and archives.

When a notification has ended, its deliveries are counted (``Tally``) and digested
(``Seal``) once. These rows never change: guards of the database refuse it.
"""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models.deliveries import Delivery
from notifications.models.groups import GroupType
from notifications.models.notifications import Notification


class Archive(models.Model):
    """The file that holds the removed deliveries of a sealed notification.

    Written and sealed in the transaction that removes them.
    """

    notification = models.OneToOneField(
        Notification, models.PROTECT, related_name="archive"
    )
    file_name = models.CharField(max_length=200)
    # SHA-256 of the compressed file, in hexadecimal digits.
    file_digest = models.CharField(max_length=64)
    # The numbers of removed rows.
    deliveries = models.PositiveIntegerField()
    attempts = models.PositiveIntegerField()
    # If members were divided into portions: "parts", "counts" of groups by status, and
    # "problems" as [status, code, reason, groups]. Result counts count deliveries.
    by_group = models.JSONField(null=True)
    archived_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        ordering: ClassVar = ["notification_id"]

    def __str__(self) -> str:
        return self.file_name


class Seal(models.Model):
    """The digest of a finished notification, an archive, or a range of the audit trail.

    Each seal contains the head of the previous one, so changing, removing or inserting a
    seal changes every later head. ``notifications.record.chain`` computes the digests.
    """

    class Kind(models.TextChoices):
        NOTIFICATION = "notification", _("notification")
        ARCHIVE = "archive", _("archive")
        ACTIONS = "actions", _("actions")

    # 1, 2, 3, … without a gap.
    number = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    notification = models.OneToOneField(
        Notification, models.PROTECT, null=True, related_name="seal"
    )
    archive = models.OneToOneField(
        Archive, models.PROTECT, null=True, related_name="seal"
    )
    # For ACTIONS: the ids that it covers, both included. Some may have no entry.
    first_entry = models.BigIntegerField(null=True, unique=True)
    last_entry = models.BigIntegerField(null=True)
    # Deliveries and attempts together, 1 for an archive, or audit entries.
    rows = models.PositiveBigIntegerField()
    # ``canonical_text.FORMAT`` of a notification; 1 for release 0.1.0 and other kinds.
    text_format = models.PositiveSmallIntegerField(default=1, db_default=1)
    # SHA-256 of the sealed text, in hexadecimal digits.
    digest = models.CharField(max_length=64)
    # 12 bytes per row: its number and the start of its digest, to locate a difference.
    leaves = models.BinaryField()
    previous = models.CharField(max_length=64, blank=True)  # empty for the first
    head = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField(_("sealed"), default=timezone.now)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            CheckConstraint(condition=Q(number__gte=1), name="seal_number_from_1"),
            CheckConstraint(
                condition=Q(
                    kind="notification",
                    notification__isnull=False,
                    archive__isnull=True,
                    first_entry__isnull=True,
                    last_entry__isnull=True,
                )
                | Q(
                    kind="archive",
                    notification__isnull=True,
                    archive__isnull=False,
                    first_entry__isnull=True,
                    last_entry__isnull=True,
                )
                | Q(
                    kind="actions",
                    notification__isnull=True,
                    archive__isnull=True,
                    first_entry__isnull=False,
                    last_entry__isnull=False,
                    last_entry__gte=F("first_entry"),
                ),
                name="seal_names_what_it_seals",
            ),
            CheckConstraint(
                condition=Q(number=1, previous="")
                | (Q(number__gt=1) & ~Q(previous="")),
                name="seal_follows_another",
            ),
            CheckConstraint(
                condition=~Q(digest="") & ~Q(head=""), name="seal_has_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.head[:12]}"


class Tally(models.Model):
    """A result count: deliveries of a sealed notification of one type and result.

    Written once, when the notification is sealed: lists and charts add up result counts
    instead of reading millions of deliveries.
    """

    notification = models.ForeignKey(
        Notification, models.PROTECT, related_name="tallies"
    )
    # Copied from the deliveries; ``created_at`` is the earliest of theirs.
    sender_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    group_type = models.CharField(max_length=32, choices=GroupType)
    status = models.CharField(max_length=12, choices=Delivery.Status)
    error_code = models.IntegerField(null=True)
    reason = models.CharField(max_length=20, blank=True)
    count = models.PositiveIntegerField()
    # The lowest and the highest id of these deliveries.
    first_delivery = models.BigIntegerField()
    last_delivery = models.BigIntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            CheckConstraint(condition=Q(count__gte=1), name="tally_counts_some"),
            CheckConstraint(
                condition=Q(last_delivery__gte=F("first_delivery")),
                name="tally_in_order",
            ),
        ]
        indexes: ClassVar = [
            # Both columns: counts are often selected by an id within their range.
            models.Index(
                fields=["-last_delivery", "first_delivery"], name="tally_newest"
            ),
            models.Index(fields=["created_at"], name="tally_by_time"),
            models.Index(fields=["sender_name", "-last_delivery"], name="tally_sender"),
            models.Index(fields=["error_code", "-last_delivery"], name="tally_code"),
            models.Index(fields=["status", "-last_delivery"], name="tally_status"),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} {self.group_type} {self.status} {self.count}"
