"""Validation of the rules that select chat groups."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.groups.queries import known_ids
from notifications.models import GroupType, Label, Rule
from notifications.tencent.ids import is_group_id
from notifications.ui.text import has_control, join_first

MAX_EXCEPTIONS = 500

MAX_LABELS = 100

MAX_MEMBERS = 999_999_999

NAME_MAX_LENGTH = 100  # of a chat group


def clean_rule(rule: Rule) -> Rule:
    """The rule as it is stored: without duplicates, labels spelt as in ``Label``.

    Raises ``ValidationError`` by field of ``Rule``, or a non-field error for a rule
    without conditions.
    """
    clean: dict[str, Any] = {}
    problems: dict[str, ValidationError] = {}
    for field, check in CHECKS.items():
        try:
            clean[field] = check(getattr(rule, field))
        except ValidationError as error:
            problems[field] = error
    least, most = clean.get("min_members"), clean.get("max_members")
    if least is not None and most is not None and least > most:
        problems["max_members"] = ValidationError(
            _("At most %(most)d is less than at least %(least)d.")
            % {"most": most, "least": least}
        )
    if not problems and Rule(**clean) == Rule():
        problems[NON_FIELD_ERRORS] = ValidationError(
            _("Choose at least one condition, or send to every group.")
        )
    if problems:
        raise ValidationError(problems)
    return Rule(**clean)


def _types(types: Sequence[str]) -> tuple[str, ...]:
    if wrong := [value for value in types if value not in GroupType.values]:
        raise ValidationError(
            _("“%(type)s” is not one of %(types)s.")
            % {"type": wrong[0], "types": ", ".join(GroupType.values)}
        )
    return tuple(value for value in GroupType.values if value in types)


def _labels(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MAX_LABELS:
        raise ValidationError(
            _("%(n)d labels are chosen; the limit is %(limit)d.")
            % {"n": len(names), "limit": MAX_LABELS}
        )
    # PostgreSQL refuses a null character, which no label has.
    lowered = [Lower(Value(name)) for name in names if not has_control(name)]
    known = Label.objects.alias(lower=Lower("name")).filter(lower__in=lowered)
    spelt = {name.lower(): name for name in known.values_list("name", flat=True)}
    if missing := [name for name in names if name.lower() not in spelt]:
        sentence = ngettext(
            "There is no label %(names)s.", "There are no labels %(names)s.",
            len(missing),
        )  # fmt: skip
        raise ValidationError(
            sentence % {"names": join_first([f"“{n}”" for n in missing])}
        )
    return tuple(sorted({spelt[name.lower()] for name in names}))


def _name_contains(text: str) -> str:
    text = text.strip()
    if has_control(text):
        raise ValidationError(_("This holds a control character. Remove it."))
    if len(text) > NAME_MAX_LENGTH:
        raise ValidationError(
            _("No name has more than %(limit)d characters; these are %(n)d.")
            % {"limit": NAME_MAX_LENGTH, "n": len(text)}
        )
    return text


def _member_count(number: int | None) -> int | None:
    if number is not None and not 0 <= number <= MAX_MEMBERS:
        raise ValidationError(
            _("%(n)d is not between 0 and %(most)d.")
            % {"n": number, "most": MAX_MEMBERS}
        )
    return number


def _exceptions(group_ids: Sequence[str]) -> tuple[str, ...]:
    unique = list(dict.fromkeys(group_ids))
    if wrong := [value for value in unique if not is_group_id(value)]:
        raise ValidationError(
            ngettext("Not a group ID: %(ids)s", "Not group IDs: %(ids)s", len(wrong))
            % {"ids": join_first(wrong)}
        )
    if len(unique) > MAX_EXCEPTIONS:
        raise ValidationError(
            _("%(n)d IDs entered; the limit is %(limit)d.")
            % {"n": len(unique), "limit": MAX_EXCEPTIONS}
        )
    known = known_ids(unique)
    if unknown := [value for value in unique if value not in known]:
        raise ValidationError(
            ngettext(
                "This ID is not in the list of groups: %(ids)s",
                "These IDs are not in the list of groups: %(ids)s",
                len(unknown),
            )
            % {"ids": join_first(unknown)}
        )
    return tuple(unique)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "types": _types,
    "labels": _labels,
    "name_contains": _name_contains,
    "min_members": _member_count,
    "max_members": _member_count,
    "exceptions": _exceptions,
}
