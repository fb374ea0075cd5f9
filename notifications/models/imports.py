"""A file of chat groups between its preview and the confirmation."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class GroupImport(models.Model):
    """What a person uploaded or pasted; removed when it was imported, or a day later."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    file_name = models.CharField(max_length=200, blank=True)  # empty: pasted
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"
