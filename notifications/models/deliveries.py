"""Deliveries: one table is both the queue of the workers and the history.

A delivery is one notification for one chat group (and one portion of recipients):

    queued ──claim──► sending ──► accepted | failed | unconfirmed
      │ ▲                │
      │ └── waiting for another attempt (``not_before``)
      └──► cancelled
"""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models.field_uses import Use
from notifications.models.groups import GroupType
from notifications.models.notifications import Notification
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def history(self) -> Self:
        """All deliveries but those of drafts, which are not history yet."""
        # No join: with a join, the planner would not use the index of the filter.
        drafts = Notification.objects.filter(status=Notification.Status.DRAFT)
        return self.exclude(notification_id__in=drafts.values("pk"))

    def open(self) -> Self:
        return self.filter(status__in=Delivery.OPEN)

    def cancel_waiting(self, now: datetime) -> dict[str, int]:
        """Cancel queued deliveries; those that Tencent refused before become failed.

        Returns the number of deliveries by status.
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
        """The number of rows by status, zeros included."""
        rows = self.order_by().values_list("status").annotate(models.Count("id"))
        return dict.fromkeys(Delivery.Status.values, 0) | dict(rows)


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

    # No separate index: "delivery_by_notification" begins with this column.
    notification = models.ForeignKey(
        Notification, models.PROTECT, related_name="deliveries", db_index=False
    )
    # Copied when the notification was sent: groups and users change later.
    group_id = models.CharField(_("group ID"), max_length=48)
    group_name = models.CharField(_("group"), max_length=100)
    group_type = models.CharField(_("group type"), max_length=32, choices=GroupType)
    sender_name = models.CharField(_("sender"), max_length=150)
    # Recipients that exceed the limit of one call are divided into portions 1, 2, …
    portion = models.PositiveSmallIntegerField(default=1)
    # One member ID per line; empty = everyone in the group.
    recipients = models.TextField(_("members"), blank=True)

    status = models.CharField(
        _("result"), max_length=12, choices=Status, default=Status.QUEUED
    )
    # Why there is no verdict: a value of notifications.tencent.outcomes.Reason.
    reason = models.CharField(max_length=20, blank=True)
    # From the last response; also while the delivery waits for another attempt.
    error_code = models.IntegerField(_("error code"), null=True)
    error_info = models.TextField(_("Tencent's text"), blank=True)

    not_before = models.DateTimeField(default=timezone.now)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    # Responses that count towards the limit of attempts.
    rejection_count = models.PositiveSmallIntegerField(default=0)
    # Consecutive attempts of which no byte left this machine.
    not_sent_streak = models.PositiveSmallIntegerField(default=0)
    # The worker (Worker.pk) that claimed the delivery; set while sending.
    owner = models.BigIntegerField(null=True)
    claimed_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(_("time"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    FIELDS: ClassVar = {
        "id": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "notification": Use.FIXED | Use.EXPORTED,
        "group_id": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "group_name": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "group_type": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "sender_name": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "portion": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "recipients": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "status": Use.SEALED | Use.EXPORTED,
        "reason": Use.SEALED | Use.EXPORTED,
        "error_code": Use.SEALED | Use.EXPORTED,
        "error_info": Use.SEALED | Use.EXPORTED,
        "not_before": Use.NONE,
        "attempt_count": Use.SEALED,
        "rejection_count": Use.SEALED,
        "not_sent_streak": Use.NONE,
        "owner": Use.NONE,
        "claimed_at": Use.NONE,
        "created_at": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "finished_at": Use.SEALED | Use.EXPORTED,
    }

    objects: ClassVar = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["notification", "group_id", "portion"],
                name="delivery_once_per_group_and_portion",
            ),
            CheckConstraint(condition=~Q(group_id=""), name="delivery_has_group"),
            CheckConstraint(condition=~Q(sender_name=""), name="delivery_has_sender"),
            CheckConstraint(
                condition=Q(portion__gte=1), name="delivery_portion_from_1"
            ),
            CheckConstraint(
                condition=~Q(
                    group_type__in=sorted(
                        SendGroupSystemNotification.ALL_MEMBERS_ONLY_TYPES
                    )
                )
                | Q(recipients=""),
                name="delivery_all_members_only",
            ),
            CheckConstraint(
                condition=Q(group_type__in=GroupType.values),
                name="delivery_group_type_known",
            ),
            CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued",
                        "sending",
                        "accepted",
                        "failed",
                        "unconfirmed",
                        "cancelled",
                    ]
                ),
                name="delivery_status_known",
            ),
            CheckConstraint(
                condition=Q(status__in=["queued", "sending"], finished_at__isnull=True)
                | Q(~Q(status__in=["queued", "sending"]), finished_at__isnull=False),
                name="delivery_ended_has_time",
            ),
            CheckConstraint(
                condition=Q(status="sending", owner__isnull=False)
                | (~Q(status="sending") & Q(owner__isnull=True)),
                name="delivery_sending_has_owner",
            ),
            CheckConstraint(
                condition=~Q(status="sending")
                | Q(claimed_at__isnull=False, attempt_count__gte=1),
                name="delivery_sending_was_claimed",
            ),
            CheckConstraint(
                condition=~Q(status="accepted")
                | Q(error_code=0, error_code__isnull=False),
                name="delivery_accepted_has_code_0",
            ),
            CheckConstraint(
                condition=~Q(status="failed")
                | (Q(error_code__isnull=False) & ~Q(error_code=0)),
                name="delivery_failed_has_code",
            ),
            # A delivery that Tencent refused before it was stopped has failed.
            CheckConstraint(
                condition=~Q(status="cancelled") | Q(error_code__isnull=True),
                name="delivery_cancelled_has_no_code",
            ),
            CheckConstraint(
                condition=(Q(status="unconfirmed") & ~Q(reason=""))
                | (~Q(status="unconfirmed") & Q(reason="")),
                name="delivery_unconfirmed_has_reason",
            ),
            # After a restore it is unknown whether a queued delivery was called.
            CheckConstraint(
                condition=~Q(status__in=["accepted", "failed", "unconfirmed"])
                | Q(attempt_count__gte=1)
                | Q(reason="restored"),
                name="delivery_outcome_has_attempt",
            ),
        ]
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
            # For the circuit breaker's last 200 calls, and the rate of a running send.
            models.Index(
                fields=["notification", "finished_at"], name="delivery_by_end"
            ),
            # For the history of a notification and of a group, newest first.
            models.Index(
                fields=["notification", "-id"], name="delivery_by_notification"
            ),
            models.Index(fields=["group_id", "-id"], name="delivery_by_group"),
            # Result counts (Tally) are computed and listed from this index alone.
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
    def portion_count(self) -> int:
        """The number of portions into which the notification's members were divided.

        Computed from the rows, since the setting may have changed: all portions but the
        last have the same length. A resend keeps the number of its portion.
        """
        own, all_ids = self.recipient_ids, self.notification.recipient_ids
        if own is None or all_ids is None:
            return 1
        is_last = own[-1] == all_ids[-1]
        return self.portion if is_last else -(-len(all_ids) // len(own))
