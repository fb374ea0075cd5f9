"""Whether a notification can go to the groups that are meant."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.audiences.audience import Audience, Values
from notifications.audiences.exclusions import ExclusionReason, count_labels
from notifications.audiences.rule import clean_rule
from notifications.models import Notification, Rule
from notifications.ui.text import NAMED, join_first

Kind = Notification.Audience

# The field of the form in which a kind of audience is chosen.
FIELDS = {Kind.CHOSEN: "groups", Kind.SAVED: "saved"}

OTHERS = "audience"

NOT_FOR_EVERY = gettext_lazy(
    "To name members, choose the groups instead of sending to every group."
)


def clean_values(values: Values) -> Values:
    """What is stored for a choice: each value once, a rule as JSON.

    Raises ``ValidationError`` by field for conditions that cannot be.
    """
    if isinstance(values, Mapping):
        return clean_rule(Rule.from_json(values)).as_json()
    return list(dict.fromkeys(values))


def check_audience(meant: Audience) -> None:
    """Raise ``ValidationError`` by field for what keeps a notification from being sent.

    Groups that were chosen one by one are refused by name; of a rule or all groups,
    those that cannot get it are left out, as long as one is left.
    """
    field = FIELDS.get(Kind(meant.kind), OTHERS)
    if meant.rule is not None:
        # A label may be gone by now.
        try:
            clean_rule(meant.rule)
        except ValidationError as error:
            if meant.kind == Kind.RULE:
                raise
            raise ValidationError({field: error.messages}) from None
    problems: dict[str, list[str]] = {}
    if found := _problems(meant):
        problems[field] = found
    if found := _problems_of_members(meant):
        problems["recipients"] = found
    if not problems and not meant.count:
        problems[field] = [_nobody_left(meant)]
    if problems:
        raise ValidationError(problems)


def _problems(meant: Audience) -> list[str]:
    if meant.is_gone:
        if not meant.name:
            return [_("Choose an audience.")]
        sentence = _("The audience “%(name)s” no longer exists. Choose another.")
        return [sentence % {"name": meant.name}]
    if meant.kind != Kind.CHOSEN:
        return []
    problems = []
    if meant.unknown:
        problems.append(
            ngettext(
                "This ID is not in the list of groups: %(ids)s",
                "These IDs are not in the list of groups: %(ids)s",
                len(meant.unknown),
            )
            % {"ids": join_first(meant.unknown)}
        )
    names, count = joined_names(
        meant, ExclusionReason.SWITCHED_OFF, ExclusionReason.CLOSED
    )
    if count:
        problems.append(
            ngettext(
                "This group is switched off or closed: %(names)s. Remove it.",
                "These groups are switched off or closed: %(names)s. Remove them.",
                count,
            )
            % {"names": names}
        )
    names, count = joined_names(meant, ExclusionReason.UNKNOWN_TYPE)
    if count:
        problems.append(
            ngettext(
                "This group is of a type that cannot be sent to yet: %(names)s. "
                "Remove it.",
                "These groups are of a type that cannot be sent to yet: %(names)s. "
                "Remove them.",
                count,
            )
            % {"names": names}
        )
    return problems


def _problems_of_members(meant: Audience) -> list[str]:
    """AVChatRoom and BChatRoom take notices for all members only.

    Source: the table of group types on the page of the call, "supports push to
    specific members". The list of members is never widened by itself: that decision
    belongs to the person.
    """
    if not meant.is_named:
        return []
    if meant.kind == Kind.EVERY:
        return [str(NOT_FOR_EVERY)]
    if meant.kind != Kind.CHOSEN:
        return []
    names, count = joined_names(meant, ExclusionReason.RECIPIENTS)
    if not count:
        return []
    return [
        ngettext(
            "%(names)s can only be sent to everyone. Remove it, or pick “Everyone in "
            "the group”.",
            "%(names)s can only be sent to everyone. Remove them, or pick “Everyone in "
            "the group”.",
            count,
        )
        % {"names": names}
    ]


def _nobody_left(meant: Audience) -> str:
    if meant.kind == Kind.CHOSEN:
        return _("Choose at least one group, or pick “Every group”.")
    if meant.left_out and meant.kind != Kind.EVERY:
        sentence = _("All groups that fit are left out. %(reasons)s.")
        return sentence % {"reasons": count_labels(meant.left_out)}
    if meant.rule is not None:
        return _("No group fits. Change the conditions.")
    return _("There is no group in use that this could go to.")


def joined_names(meant: Audience, *reasons: ExclusionReason) -> tuple[str, int]:
    """The names of chosen groups in the order of choice, and how many there are."""
    count = sum(meant.left_out.get(reason, 0) for reason in reasons)
    if not count:
        return "", 0
    found = dict(
        meant.left_out_groups(*reasons).order_by().values_list("group_id", "name")
    )
    names = [found[i] for i in meant.ids if i in found][:NAMED]
    return join_first(names, count), count
