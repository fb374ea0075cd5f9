"""Attempts: the REST calls for a delivery. A row is inserted with its outcome."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from notifications.models.deliveries import Delivery
from notifications.models.field_uses import Use
from notifications.tencent.outcomes import OutcomeKind

VERDICT = Q(outcome__in=["accepted", "rejected"])


class Attempt(models.Model):
    """One REST call, or the recovery of a call that a dead worker left open."""

    class Outcome(models.TextChoices):
        ACCEPTED = OutcomeKind.ACCEPTED.value, _("Accepted")
        REJECTED = OutcomeKind.REJECTED.value, _("Refused")
        NOT_SENT = OutcomeKind.NOT_SENT.value, _("Not sent")
        UNCONFIRMED = OutcomeKind.UNCONFIRMED.value, _("Not confirmed")
        WORKER_LOST = "worker_lost", _("Worker lost")

    # No separate index: "attempt_number_once" begins with this column.
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, related_name="attempts", db_index=False
    )
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
    # From the answer to a group message, as in ``Delivery``.
    msg_seq = models.BigIntegerField(null=True)
    msg_time = models.BigIntegerField(null=True)
    drop_reason = models.TextField(blank=True, default="", db_default="")

    FIELDS: ClassVar = {
        "id": Use.FIXED,
        "delivery": Use.FIXED | Use.SEALED,
        "number": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "worker": Use.FIXED | Use.SEALED,
        "started_at": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "finished_at": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "outcome": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "reason": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "detail": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "http_status": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "action_status": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "error_code": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "error_info": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "msg_seq": Use.FIXED | Use.SEALED,
        "msg_time": Use.FIXED | Use.SEALED,
        "drop_reason": Use.FIXED | Use.SEALED,
    }

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering: ClassVar = ["delivery_id", "number"]
        indexes: ClassVar = [
            models.Index(fields=["started_at"], name="attempt_by_time")  # for the quota
        ]
        constraints: ClassVar = [
            UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
            CheckConstraint(condition=Q(number__gte=1), name="attempt_number_from_1"),
            # Both times come from one machine. Its clock may be set back, so writers store
            # the later of the two as the end.
            CheckConstraint(
                condition=Q(finished_at__gte=F("started_at")),
                name="attempt_ends_after_start",
            ),
            CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "accepted",
                        "rejected",
                        "not_sent",
                        "unconfirmed",
                        "worker_lost",
                    ]
                ),
                name="attempt_outcome_known",
            ),
            CheckConstraint(
                condition=~Q(outcome="accepted")
                | Q(
                    http_status=200,
                    http_status__isnull=False,
                    error_code=0,
                    error_code__isnull=False,
                    drop_reason="",
                ),
                name="attempt_accepted_is_a_verdict",
            ),
            CheckConstraint(
                condition=~Q(outcome="rejected")
                | (
                    Q(
                        http_status=200,
                        http_status__isnull=False,
                        error_code__isnull=False,
                    )
                    & (~Q(error_code=0) | ~Q(drop_reason=""))
                ),
                name="attempt_rejected_is_a_verdict",
            ),
            CheckConstraint(
                condition=VERDICT
                | Q(msg_seq__isnull=True, msg_time__isnull=True, drop_reason=""),
                name="attempt_message_only_of_a_verdict",
            ),
            CheckConstraint(
                condition=VERDICT | Q(error_code__isnull=True),
                name="attempt_code_only_of_a_verdict",
            ),
            CheckConstraint(
                condition=(VERDICT & Q(reason="")) | (~VERDICT & ~Q(reason="")),
                name="attempt_reason_unless_verdict",
            ),
            CheckConstraint(
                condition=~Q(outcome__in=["not_sent", "worker_lost"])
                | Q(http_status__isnull=True),
                name="attempt_unsent_has_no_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number} {self.outcome}"

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
