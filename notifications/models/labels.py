"""Labels: free words that people put on chat groups, such as a region."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

LABEL_MAX_LENGTH = 50


class Label(models.Model):
    """One word. Made with the first group that gets it; capitals make no other one."""

    name = models.CharField(_("label"), max_length=LABEL_MAX_LENGTH)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(name=""), name="label_has_name"),
            models.UniqueConstraint(Lower("name"), name="label_once"),
        ]

    def __str__(self) -> str:
        return self.name
