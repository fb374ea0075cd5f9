"""What a rule for chat groups says, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import GroupType, Rule


def describe_rule(rule: Rule) -> list[tuple[str, str]]:
    """Each condition as its label and its words; all of them must be met.

    Such as ``("Types", "Live room, Public")`` and ``("Members", "100 to 5,000")``.
    """
    types = dict(GroupType.choices)
    told = [
        (_("Types"), ", ".join(str(types.get(word, word)) for word in rule.types)),
        (_("Labels"), ", ".join(rule.labels)),
        (_("Name contains"), rule.name_contains),
        (_("Members"), _members(rule)),
        (_("Except"), _groups(len(rule.exceptions)) if rule.exceptions else ""),
    ]
    return [(label, words) for label, words in told if words]


def in_words(rule: Rule) -> str:
    """All conditions on one line: ``Types: Live room · Labels: North``."""
    parts = [
        _("%(label)s: %(value)s") % {"label": label, "value": words}
        for label, words in describe_rule(rule)
    ]
    return " · ".join(parts)


def _members(rule: Rule) -> str:
    least, most = rule.min_members, rule.max_members
    if least is not None and most is not None:
        return _("%(least)s to %(most)s") % {"least": f"{least:,}", "most": f"{most:,}"}
    if least is not None:
        return _("at least %(n)s") % {"n": f"{least:,}"}
    if most is not None:
        return _("at most %(n)s") % {"n": f"{most:,}"}
    return ""


def _groups(count: int) -> str:
    return ngettext("%(n)d group", "%(n)d groups", count) % {"n": count}
