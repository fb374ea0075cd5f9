"""Audiences: a rule that selects chat groups, and a rule that is saved under a name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications.models.groups import GroupType

AUDIENCE_NAME_MAX_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that a group must meet, all of them; an empty field is no condition.

    A group needs one of ``types`` (Tencent's words) and one of ``labels`` (names).
    ``exceptions`` are IDs of excluded groups. Both limits of members are inclusive.
    """

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    name_contains: str = ""
    min_members: int | None = None
    max_members: int | None = None
    exceptions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The stored form, without the empty fields."""
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

    def conditions(self) -> list[tuple[str, str]]:
        """Label and text of each condition, for example ``("Members", "100 to 5,000")``."""
        types = dict(GroupType.choices)
        count = len(self.exceptions)
        groups = ngettext("%(n)d group", "%(n)d groups", count) % {"n": count}
        conditions = [
            (
                gettext("Types"),
                ", ".join(str(types.get(name, name)) for name in self.types),
            ),
            (gettext("Labels"), ", ".join(self.labels)),
            (gettext("Name contains"), self.name_contains),
            (gettext("Members"), self._members()),
            (gettext("Except"), groups if count else ""),
        ]
        return [(label, text) for label, text in conditions if text]

    def __str__(self) -> str:
        """All conditions on one line: ``Types: Live room · Labels: North``."""
        return " · ".join(
            gettext("%(label)s: %(value)s") % {"label": label, "value": text}
            for label, text in self.conditions()
        )

    def _members(self) -> str:
        least, most = self.min_members, self.max_members
        if least is not None and most is not None:
            return gettext("%(least)s to %(most)s") % {
                "least": f"{least:,}",
                "most": f"{most:,}",
            }
        if least is not None:
            return gettext("at least %(n)s") % {"n": f"{least:,}"}
        if most is not None:
            return gettext("at most %(n)s") % {"n": f"{most:,}"}
        return ""


class SavedAudience(models.Model):
    """A named rule, which is evaluated again at each use."""

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
