"""What there is once: the switch for all sending, and the name of this database."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class SendingSwitch(models.Model):
    """One switch for all sending: while the row says off, no worker claims anything."""

    is_off = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("switch for all sending")
        verbose_name_plural = _("switches for all sending")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(id=1), name="sending_switch_only_one"
            )
        ]

    def __str__(self) -> str:
        return "off" if self.is_off else "on"

    @classmethod
    def present(cls) -> "SendingSwitch":
        """The one row, or how it stands before anybody has touched it."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Installation(models.Model):
    """Names this database, so that what a worker remembers of it fits no other one."""

    key = models.UUIDField(default=uuid.uuid4, unique=True)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        permissions: ClassVar = [
            ("view_system", _("May see the System page and check the connection"))
        ]

    def __str__(self) -> str:
        return str(self.key)

    @classmethod
    def present(cls) -> "Installation":
        """The one row; made when it is first asked for."""
        installation, _is_new = cls.objects.get_or_create(pk=1)
        return installation
