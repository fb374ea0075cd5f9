"""Checks whether a notification can be sent to an audience."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from notifications.audiences.audience import Audience, Values
from notifications.audiences.exclusions import ExclusionReason, count_labels
from notifications.audiences.rule import clean_rule
from notifications.models import Channel, Notification, Rule
from notifications.ui.text import NAMED, join_first

Kind = Notification.Audience

# The field of the form in which a kind of audience is chosen.
FIELDS = {Kind.CHOSEN: "groups", Kind.SAVED: "saved"}

NOT_FOR_EVERY = gettext_lazy(
    "To name members, choose the groups instead of sending to every group."
)


def clean_values(values: Values) -> Values:
    """The values of a choice as they are stored: without duplicates, a rule as JSON.

    Raises ``ValidationError`` by field for invalid conditions.
    """
    if isinstance(values, Mapping):
        return clean_rule(Rule.from_json(values)).as_json()
    return list(dict.fromkeys(values))


def check_audience(audience: Audience) -> None:
    """Raise ``ValidationError`` by field if a notification cannot be sent.

    Groups that were chosen one by one are refused by name. A rule or “every group”
    excludes the groups that cannot be sent to, as long as it includes at least one.
    """
    field = FIELDS.get(Kind(audience.kind), "audience")
    if audience.rule is not None:
        # A label may have been deleted since.
        try:
            clean_rule(audience.rule)
        except ValidationError as error:
            if audience.kind == Kind.RULE:
                raise
            raise ValidationError({field: error.messages}) from None
    problems: dict[str, list[str]] = {}
    if sentences := _group_problems(audience):
        problems[field] = sentences
    if sentence := _recipients_problem(audience):
        problems["recipients"] = [sentence]
    problems |= _type_problems(audience)
    if not problems and not audience.count:
        problems[field] = [_no_group_included(audience)]
    if problems:
        raise ValidationError(problems)


def _group_problems(audience: Audience) -> list[str]:
    if audience.is_missing:
        if not audience.name:
            return [_("Choose an audience.")]
        sentence = _("The audience “%(name)s” no longer exists. Choose another.")
        return [sentence % {"name": audience.name}]
    if audience.kind != Kind.CHOSEN:
        return []
    problems = []
    if audience.unknown_ids:
        problems.append(
            ngettext(
                "This ID is not in the list of groups: %(ids)s",
                "These IDs are not in the list of groups: %(ids)s",
                len(audience.unknown_ids),
            )
            % {"ids": join_first(audience.unknown_ids)}
        )
    names, count = joined_names(
        audience, ExclusionReason.SWITCHED_OFF, ExclusionReason.CLOSED
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
    names, count = joined_names(audience, ExclusionReason.CHANNEL)
    if count:
        problems.append(
            ngettext(
                "The channel “%(channel)s” does not reach this group: %(names)s. Remove "
                "it, or choose another channel.",
                "The channel “%(channel)s” does not reach these groups: %(names)s. "
                "Remove them, or choose another channel.",
                count,
            )
            % {"names": names, "channel": Channel(audience.channel).label}
        )
    names, count = joined_names(audience, ExclusionReason.UNKNOWN_TYPE)
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


# Sentences about chosen groups whose type refuses an option; the field of the option has
# the name of the reason.
OF_TYPE = {
    ExclusionReason.MENTION_ALL: ngettext_lazy(
        "%(names)s has no @all. Remove it, or clear this option.",
        "%(names)s have no @all. Remove them, or clear this option.",
        "count",
    ),
    ExclusionReason.ONLINE_ONLY: ngettext_lazy(
        "%(names)s cannot be sent to for online members only. Remove it, or clear this "
        "option.",
        "%(names)s cannot be sent to for online members only. Remove them, or clear "
        "this option.",
        "count",
    ),
    ExclusionReason.NO_UNREAD: ngettext_lazy(
        "%(names)s does not take this option. Remove it, or clear the option.",
        "%(names)s do not take this option. Remove them, or clear the option.",
        "count",
    ),
    ExclusionReason.NO_LAST_MESSAGE: ngettext_lazy(
        "%(names)s does not take this option. Remove it, or clear the option.",
        "%(names)s do not take this option. Remove them, or clear the option.",
        "count",
    ),
}


def _type_problems(audience: Audience) -> dict[str, list[str]]:
    if audience.kind != Kind.CHOSEN:
        return {}
    problems = {}
    for reason, sentence in OF_TYPE.items():
        names, count = joined_names(audience, reason)
        if count:
            problems[reason.value] = [sentence % {"names": names, "count": count}]
    return problems


def _recipients_problem(audience: Audience) -> str:
    """Some types of groups accept notifications for all members only.

    Which ones is in ``refused_by_type`` of the channel. Named members are never replaced
    by everyone automatically: that decision belongs to the person.
    """
    if not audience.names_members:
        return ""
    if audience.kind == Kind.EVERY:
        return str(NOT_FOR_EVERY)
    names, count = joined_names(audience, ExclusionReason.RECIPIENTS)
    if audience.kind != Kind.CHOSEN or not count:
        return ""
    return ngettext(
        "%(names)s can only be sent to everyone. Remove it, or pick “Everyone in "
        "the group”.",
        "%(names)s can only be sent to everyone. Remove them, or pick “Everyone in "
        "the group”.",
        count,
    ) % {"names": names}


def _no_group_included(audience: Audience) -> str:
    if audience.kind == Kind.CHOSEN:
        return _("Choose at least one group, or pick “Every group”.")
    if audience.excluded and audience.kind != Kind.EVERY:
        sentence = _("All groups that fit are left out. %(reasons)s.")
        return sentence % {"reasons": count_labels(audience.excluded)}
    if audience.rule is not None:
        return _("No group fits. Change the conditions.")
    return _("There is no group in use that this could go to.")


def joined_names(audience: Audience, *reasons: ExclusionReason) -> tuple[str, int]:
    """The joined names of excluded groups in the order of the choice, and their count."""
    count = sum(audience.excluded.get(reason, 0) for reason in reasons)
    if not count:
        return "", 0
    groups = audience.excluded_groups(*reasons).order_by()
    by_id = dict(groups.values_list("group_id", "name"))
    names = [by_id[i] for i in audience.ids if i in by_id][:NAMED]
    return join_first(names, count), count
