"""Deliveries: one table is both the queue of the workers and the history.

A delivery is one notification for one chat group (and one portion of recipients):

    queued ──claim──► sending ──► accepted | failed | unconfirmed
      │ ▲                │                               │
      │ └── waiting for another attempt                  └──query──► accepted | failed
      └──► cancelled          (``not_before``)

An unconfirmed delivery changes only while Tencent can be queried about it: until
``next_query_at`` is null again (``delivery/reconcile``).
"""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models import delivery_constraints
from notifications.models.channels import Channel
from notifications.models.field_uses import Use
from notifications.models.groups import GroupType
from notifications.models.notifications import Notification


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def history(self) -> Self:
        """All deliveries but those of drafts, which are not history yet."""
        # No join: with a join, the planner would not use the index of the filter.
        drafts = Notification.objects.filter(status=Notification.Status.DRAFT)
        return self.exclude(notification_id__in=drafts.values("pk"))

    def recalls(self) -> Self:
        return self.filter(channel=Channel.RECALL)

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
    # The columns that a query may change in an unconfirmed delivery.
    CHANGED_BY_QUERY = (
        *("status", "reason", "error_code", "error_info", "drop_reason"),
        *("msg_seq", "msg_time", "is_altered"),
        *("next_query_at", "query_asked_by"),
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
    # Copied from the notification as well: a group type may refuse them.
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        default=Channel.SYSTEM_NOTIFICATION,
        db_default=Channel.SYSTEM_NOTIFICATION,
    )
    mention_all = models.BooleanField(default=False, db_default=False)
    online_only = models.BooleanField(default=False, db_default=False)
    no_unread = models.BooleanField(default=False, db_default=False)
    no_last_message = models.BooleanField(default=False, db_default=False)

    # The delivery whose message a recall or a correction changes. No foreign key:
    # archiving removes that row.
    amended_delivery = models.BigIntegerField(null=True)

    # The ``Random`` of a group message: drawn with the first claim, the same in every
    # attempt, and never used for another delivery. Tencent drops repeats by it.
    random = models.BigIntegerField(null=True)
    # The name of the message at Tencent, and its time there in Unix seconds. A recall or
    # a correction gets the name with its claim, from the delivery that it amends.
    msg_seq = models.BigIntegerField(null=True)
    msg_time = models.BigIntegerField(null=True)
    # Why Tencent dropped the message although the ErrorCode is 0.
    drop_reason = models.TextField(blank=True, default="", db_default="")
    # The history of the group has another text than the one that was sent.
    is_altered = models.BooleanField(default=False, db_default=False)
    # When Tencent is queried next about an unconfirmed delivery; null = no more.
    next_query_at = models.DateTimeField(null=True)
    # Who wanted that query before its time; empty = the worker by itself.
    query_asked_by = models.CharField(
        max_length=150, blank=True, default="", db_default=""
    )

    status = models.CharField(
        _("result"), max_length=12, choices=Status, default=Status.QUEUED
    )
    # Why there is no verdict, or how there is one without an error code: a value of
    # notifications.tencent.outcomes.Reason.
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
        "channel": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "mention_all": Use.FIXED | Use.SEALED,
        "online_only": Use.FIXED | Use.SEALED,
        "no_unread": Use.FIXED | Use.SEALED,
        "no_last_message": Use.FIXED | Use.SEALED,
        "amended_delivery": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "random": Use.SEALED | Use.EXPORTED,  # has its own guard: never drawn again
        "msg_seq": Use.SEALED | Use.EXPORTED,
        "msg_time": Use.SEALED | Use.EXPORTED,
        "drop_reason": Use.SEALED | Use.EXPORTED,
        "is_altered": Use.SEALED | Use.EXPORTED,
        "next_query_at": Use.NONE,
        "query_asked_by": Use.NONE,
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
        constraints: ClassVar = delivery_constraints.CONSTRAINTS
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
            # Only ended rows, so that sending a notification does not maintain it.
            models.Index(
                fields=["notification", "finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="delivery_ended",
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
            # For what became of a message, and for amendments that wait for its result.
            models.Index(
                fields=["amended_delivery"],
                condition=models.Q(amended_delivery__isnull=False),
                name="delivery_amended",
            ),
            # For the reconciler, and for sealing, which waits for it.
            models.Index(
                fields=["next_query_at"],
                condition=models.Q(next_query_at__isnull=False),
                name="delivery_to_query",
            ),
            models.Index(
                fields=["notification"],
                condition=models.Q(next_query_at__isnull=False),
                name="delivery_queried",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} → {self.group_name}"

    @property
    def result_label(self) -> str:
        """The status in words; what “accepted” is depends on the channel."""
        if self.status == self.Status.ACCEPTED:
            return Channel(self.channel).accepted_label
        return str(self.Status(self.status).label)

    @property
    def is_recall(self) -> bool:
        return self.channel == Channel.RECALL

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
