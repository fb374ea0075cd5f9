"""Deliveries and attempts: queue, ledger and history in one.

A delivery is one notification for one chat group (and one portion of recipients):

    queued ──claim──► sending ──► accepted | failed | unconfirmed
      │ ▲                │
      │ └── waiting for another attempt (``not_before``)
      └──► cancelled

An attempt is one REST call for it. Attempts are only ever inserted, once, with their
outcome.
"""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models import constraints as models_constraints
from notifications.models.groups import GroupType
from notifications.models.notifications import Notification
from notifications.tencent.outcomes import OutcomeKind


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def history(self) -> Self:
        """All that may be shown: the rows of a draft are not history yet."""
        # No join: it would tempt the planner away from the index of the filter.
        drafts = Notification.objects.filter(status=Notification.Status.DRAFT)
        return self.exclude(notification_id__in=drafts.values("pk"))

    def open(self) -> Self:
        return self.filter(status__in=Delivery.OPEN)

    def cancel_waiting(self, now: datetime) -> dict[str, int]:
        """Queued → cancelled; what was refused before keeps that verdict: failed.

        Returns how many ended in which way.
        """
        waiting = self.filter(status=Delivery.Status.QUEUED)
        return {
            Delivery.Status.FAILED.value: waiting.filter(
                error_code__isnull=False
            ).update(status=Delivery.Status.FAILED, finished_at=now),
            Delivery.Status.CANCELLED.value: waiting.filter(
                error_code__isnull=True
            ).update(status=Delivery.Status.CANCELLED, finished_at=now),
        }

    def counts(self) -> dict[str, int]:
        """How many rows per status; every status is present."""
        found = dict(self.order_by().values_list("status").annotate(models.Count("id")))
        return {status: found.get(status, 0) for status in Delivery.Status.values}


class Delivery(models.Model):
    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Sending")
        ACCEPTED = "accepted", _("Accepted")
        FAILED = "failed", _("Failed")
        UNCONFIRMED = "unconfirmed", _("Not confirmed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = frozenset({Status.QUEUED, Status.SENDING})
    ENDED = frozenset(
        {Status.ACCEPTED, Status.FAILED, Status.UNCONFIRMED, Status.CANCELLED}
    )

    # Without an index of its own: "delivery_by_notification" begins with it.
    notification = models.ForeignKey(
        Notification, models.PROTECT, related_name="deliveries", db_index=False
    )
    # Copied when the notification was sent: the history outlives what it describes.
    group_id = models.CharField(_("group ID"), max_length=48)
    group_name = models.CharField(_("group"), max_length=100)
    group_type = models.CharField(_("group type"), max_length=32, choices=GroupType)
    sender_name = models.CharField(_("sender"), max_length=150)
    # More recipients than one call takes go out in portions 1, 2, …
    portion = models.PositiveSmallIntegerField(default=1)
    # One member ID per line; empty = everyone in the group.
    recipients = models.TextField(_("members"), blank=True)

    status = models.CharField(
        _("result"), max_length=12, choices=Status, default=Status.QUEUED
    )
    # Why there is no verdict: a word of notifications.im.outcomes.Reason.
    reason = models.CharField(max_length=20, blank=True)
    # Of the last answer, verbatim; also while the delivery waits for another attempt.
    error_code = models.IntegerField(_("error code"), null=True)
    error_info = models.TextField(_("Tencent's text"), blank=True)

    not_before = models.DateTimeField(default=timezone.now)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    # Answers that used up one of the allowed attempts.
    rejection_count = models.PositiveSmallIntegerField(default=0)
    # Attempts in a row of which not one byte left this machine.
    not_sent_streak = models.PositiveSmallIntegerField(default=0)
    # The worker (Worker.pk) that claimed it, while sending.
    owner = models.BigIntegerField(null=True)
    claimed_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(_("time"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects: ClassVar = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = models_constraints.DELIVERY
        indexes: ClassVar = [
            models.Index(
                fields=["notification", "not_before", "id"],
                condition=models.Q(status="queued"),
                name="delivery_queue",
            ),
            models.Index(
                fields=["owner"],
                condition=models.Q(status="sending"),
                name="delivery_in_flight",
            ),
            # For the breaker's last 200, and the rate of a running send.
            models.Index(
                fields=["notification", "finished_at"], name="delivery_by_end"
            ),
            # The history: of a notification, of a group; newest first.
            models.Index(
                fields=["notification", "-id"], name="delivery_by_notification"
            ),
            models.Index(fields=["group_id", "-id"], name="delivery_by_group"),
            # What is alike (Tally) is counted and listed without reading a row more.
            models.Index(
                fields=[
                    "notification",
                    "status",
                    "group_type",
                    "error_code",
                    "reason",
                    "-id",
                ],
                name="delivery_alike",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} → {self.group_name}"

    @property
    def recipient_ids(self) -> list[str] | None:
        """The named members of this portion, or ``None`` for everyone."""
        return self.recipients.splitlines() or None

    @property
    def parts(self) -> int:
        """How many portions the named members of the notification were cut into.

        As they were cut then, whatever the setting is today: all portions but the last
        are of one length. What is sent again keeps the number of its portion.
        """
        own, everyone = self.recipient_ids, self.notification.recipient_ids
        if own is None or everyone is None:
            return 1
        is_last = own[-1] == everyone[-1]
        return self.portion if is_last else -(-len(everyone) // len(own))


class Attempt(models.Model):
    """One REST call, or the recovery that gave up on a call of a dead worker."""

    class Outcome(models.TextChoices):
        ACCEPTED = OutcomeKind.ACCEPTED.value, _("Accepted")
        REJECTED = OutcomeKind.REJECTED.value, _("Refused")
        NOT_SENT = OutcomeKind.NOT_SENT.value, _("Not sent")
        UNCONFIRMED = OutcomeKind.UNCONFIRMED.value, _("Not confirmed")
        WORKER_LOST = "worker_lost", _("Worker lost")

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(_("attempt"))
    worker = models.BigIntegerField()
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("ended"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    reason = models.CharField(max_length=20, blank=True)
    detail = models.TextField(blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    action_status = models.TextField(blank=True)
    error_code = models.IntegerField(_("error code"), null=True)
    error_info = models.TextField(blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering: ClassVar = ["delivery_id", "number"]
        indexes: ClassVar = [
            models.Index(fields=["started_at"], name="attempt_by_time")  # for the quota
        ]
        constraints: ClassVar = models_constraints.ATTEMPT

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number} {self.outcome}"

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
