"""What the application may do at Tencent, as the last probe found out."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Capability(models.Model):
    """One capability of one application; without a row it was never tried."""

    class Answer(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")
        UNKNOWN = "unknown", _("Not known")

    sdk_app_id = models.BigIntegerField()
    name = models.CharField(max_length=32)
    answer = models.CharField(max_length=8, choices=Answer)
    # What was learnt beside yes and no, for example the answer to a repeat.
    finding = models.CharField(max_length=32, blank=True)
    error_code = models.IntegerField(_("error code"), null=True)
    detail = models.TextField(blank=True)
    group_id = models.CharField(_("group ID"), max_length=48)
    probed_by = models.CharField(max_length=150)
    probed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["sdk_app_id", "name"], name="capability_once"),
            CheckConstraint(
                condition=Q(answer__in=["yes", "no", "unknown"]),
                name="capability_answer_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.answer}"
