"""Audiences: a rule that says which chat groups are meant, and one under a name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

AUDIENCE_NAME_MAX_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Rule:
    """Groups of any of these types, with any of these labels, and so on; all must fit.

    What is empty asks nothing. ``types`` are Tencent's words, ``labels`` names,
    ``exceptions`` group IDs that are never meant; the numbers of members are included.
    """

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    name_contains: str = ""
    min_members: int | None = None
    max_members: int | None = None
    exceptions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Only what asks something, as it is stored."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value not in ((), "", None)
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in stored.items()
        }
        return cls(**values)


class SavedAudience(models.Model):
    """A rule that people chose a name for; which groups it means is found anew."""

    name = models.CharField(_("name"), max_length=AUDIENCE_NAME_MAX_LENGTH, unique=True)
    stored_rule = models.JSONField(default=dict)
    changed_by = models.CharField(_("changed by"), max_length=150)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(name=""), name="audience_has_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rule(self) -> Rule:
        return Rule.from_json(self.stored_rule)
