"""What makes the record provable and quick to count: seals, tallies, archives.

When a notification has ended, its deliveries are counted once (tallies) and digested
once (the seal). Nothing of that ever changes: guards of the database refuse it.
"""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models.deliveries import Delivery
from notifications.models.groups import GroupType
from notifications.models.notifications import Notification


class Seal(models.Model):
    """The digest of a finished notification, or of some days of the audit trail.

    Each seal holds the head of the one before it, so nobody can change, remove or
    insert one without changing every later head. How each digest is made:
    ``notifications.record.sealing``.
    """

    class Kind(models.TextChoices):
        NOTIFICATION = "notification", _("notification")
        ACTIONS = "actions", _("actions")

    # 1, 2, 3, … without a gap.
    number = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    notification = models.OneToOneField(
        Notification, models.PROTECT, null=True, related_name="seal"
    )
    # Of ACTIONS: the entries with since <= at < until.
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    # Deliveries and attempts together, or audit entries.
    rows = models.PositiveBigIntegerField()
    # SHA-256 of the sealed text, in hexadecimal digits.
    digest = models.CharField(max_length=64)
    # 12 bytes a row: its number and the start of its digest, to name one that differs.
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
                    since__isnull=True,
                    until__isnull=True,
                )
                | Q(
                    kind="actions",
                    notification__isnull=True,
                    since__isnull=False,
                    until__isnull=False,
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
    """How many deliveries of a sealed notification are alike in type and result.

    Counted once, when the notification is sealed: lists and charts add up tallies
    instead of reading millions of deliveries.
    """

    notification = models.ForeignKey(
        Notification, models.PROTECT, related_name="tallies"
    )
    # As of the deliveries; ``created_at`` is the earliest of them.
    sender_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    group_type = models.CharField(max_length=32, choices=GroupType)
    status = models.CharField(max_length=12, choices=Delivery.Status)
    error_code = models.IntegerField(null=True)
    reason = models.CharField(max_length=20, blank=True)
    count = models.PositiveIntegerField()
    # The lowest and the highest id among them.
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
            # With the first one too: which tallies lie around an id is asked often.
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


class Archive(models.Model):
    """Where the deliveries of a sealed notification went when they were removed."""

    notification = models.OneToOneField(
        Notification, models.PROTECT, related_name="archive"
    )
    file_name = models.CharField(max_length=200)
    # SHA-256 of the compressed file, in hexadecimal digits.
    file_digest = models.CharField(max_length=64)
    # Where members were named in parts: "parts", "counts" of groups by status, "problems"
    # as [status, code, reason, groups]. Tallies count deliveries.
    by_group = models.JSONField(null=True)
    archived_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        ordering: ClassVar = ["notification_id"]

    def __str__(self) -> str:
        return self.file_name
