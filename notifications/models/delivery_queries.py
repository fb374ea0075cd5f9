"""Queries about unconfirmed deliveries: what Tencent was asked, and what it answered.

A row is inserted with its answer, and sealed with its delivery.
"""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from notifications.models.deliveries import Delivery
from notifications.models.field_uses import Use


class DeliveryQuery(models.Model):
    class Kind(models.TextChoices):
        HISTORY = "history", _("history of the group")
        REPEAT = "repeat", _("repeat with the same number")
        STATE = "state", _("state of the message")

    class Verdict(models.TextChoices):
        PRESENT = "present", _("Found")
        ABSENT = "absent", _("Not found")
        UNCLEAR = "unclear", _("Cannot be told")
        NO_ANSWER = "no_answer", _("No usable answer")

    # No separate index: "query_number_once" begins with this column.
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, related_name="queries", db_index=False
    )
    number = models.PositiveSmallIntegerField(_("query"))
    kind = models.CharField(max_length=8, choices=Kind)
    worker = models.BigIntegerField()
    # Who pressed “Ask Tencent now”; empty = the worker by itself.
    asked_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("ended"))
    # JSON: a list with the body of each call; a list with the answer to each.
    request = models.TextField()
    response = models.TextField(blank=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    error_code = models.IntegerField(_("error code"), null=True)
    detail = models.TextField(blank=True)

    FIELDS: ClassVar = {
        "id": Use.FIXED,
        "delivery": Use.FIXED | Use.SEALED,
        "number": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "kind": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "worker": Use.FIXED | Use.SEALED,
        "asked_by": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "started_at": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "finished_at": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "request": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "response": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "verdict": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "error_code": Use.FIXED | Use.SEALED | Use.EXPORTED,
        "detail": Use.FIXED | Use.SEALED | Use.EXPORTED,
    }

    class Meta:
        verbose_name = _("query")
        verbose_name_plural = _("queries")
        ordering: ClassVar = ["delivery_id", "number"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["delivery", "number"], name="query_number_once"),
            CheckConstraint(condition=Q(number__gte=1), name="query_number_from_1"),
            CheckConstraint(
                condition=Q(finished_at__gte=F("started_at")),
                name="query_ends_after_start",
            ),
            CheckConstraint(
                condition=Q(kind__in=["history", "repeat", "state"]),
                name="query_kind_known",
            ),
            CheckConstraint(
                condition=Q(verdict__in=["present", "absent", "unclear", "no_answer"]),
                name="query_verdict_known",
            ),
            CheckConstraint(
                condition=~Q(kind="repeat") | ~Q(verdict="absent"),
                name="query_repeat_proves_no_absence",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number} {self.verdict}"
