"""Questions of pages to Tencent, which a worker asks, because only it has the key.

The page stores a request, the worker the answer. Rows are short-lived: a page waits for an
answer for a minute, and the worker removes older rows.
"""

from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

VALID_FOR = timedelta(minutes=1)


class WorkerRequest(models.Model):
    """One question; a person has at most one of each kind."""

    class Kind(models.TextChoices):
        CONNECTION = "connection", _("Check of the connection")
        MEMBERS = "members", _("Check of members")
        PROBE = "probe", _("Probe of the application")
        SENDER = "sender", _("Check of the sender account")

    kind = models.CharField(max_length=12, choices=Kind)
    requested_by = models.ForeignKey(User, models.CASCADE, db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    parameters = models.JSONField(default=dict)
    # ``None`` until the worker has answered.
    answer = models.JSONField(null=True)

    class Meta:
        verbose_name = _("request to the worker")
        verbose_name_plural = _("requests to the worker")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["requested_by", "kind"], name="worker_request_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_valid(self) -> bool:
        """Whether a page waits for the answer, or may still show it."""
        return timezone.now() < self.created_at + VALID_FOR

    @property
    def is_waiting(self) -> bool:
        return self.answer is None and self.is_valid
