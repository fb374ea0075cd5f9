"""The part of the Write page that says which groups are meant, and for whom in them."""

from collections.abc import Sequence
from typing import Any

from crispy_forms.layout import Fieldset, LayoutObject
from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import Notification, Rule
from notifications.selectors.audiences import Values, count_every, counts_of_saved

from .group_ids import GroupIds
from .layout import Reveals
from .rule import RULE_FIELDS, RuleFields, initial_of_rule

Kind = Notification.Audience
CHOSEN, RULE, SAVED, EVERY = (
    Kind.CHOSEN.value,
    Kind.RULE.value,
    Kind.SAVED.value,
    Kind.EVERY.value,
)


class ChoiceForm(RuleFields):
    """``choice()`` is what was chosen, once the form is valid.

    What stands in a field that is not meant does no harm.
    """

    audience = forms.ChoiceField(
        label=_("Send to"),
        choices=[
            (CHOSEN, _("Groups I choose")),
            (RULE, _("Groups by type, label or name")),
            (SAVED, _("A saved audience")),
            (EVERY, _("Every group")),
        ],
        initial=CHOSEN,
        widget=forms.RadioSelect,
    )
    groups = GroupIds(
        label=_("Groups"),
        rows=4,
        help_text=_(
            "One group ID per line, or separated by commas. You can also tick groups "
            "on the page Groups."
        ),
    )
    # No ChoiceField: services.meant_groups says it better when an audience is gone.
    saved = forms.CharField(
        label=_("Audience"), required=False, widget=forms.Select(choices=[])
    )
    members = forms.ChoiceField(
        label=_("Who in the groups"),
        choices=[
            ("everyone", _("Everyone in the group")),
            ("named", _("Only certain members")),
        ],
        initial="everyone",
        widget=forms.RadioSelect,
    )

    def show_counts(self) -> None:
        """Say in the choices how many groups each means; two queries."""
        kinds = dict(self.fields["audience"].choices)  # type: ignore[attr-defined]  # a ChoiceField
        kinds[EVERY] = _("Every group (%(n)s)") % {"n": f"{count_every():,}"}
        self.fields["audience"].choices = list(kinds.items())  # type: ignore[attr-defined]  # a ChoiceField
        counts = counts_of_saved()
        # One that is gone stays chosen and is refused.
        if (given := self["saved"].value()) and given not in counts:
            counts[given] = 0
        first = _("Choose an audience") if counts else _("No audience is saved yet")
        self.fields["saved"].widget.choices = [
            ("", first),
            *((name, f"{name} ({count:,})") for name, count in counts.items()),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("audience") != RULE:
            for name in RULE_FIELDS:
                self.errors.pop(name, None)
        return data

    @property
    def is_named(self) -> bool:
        return bool(self.cleaned_data["members"] == "named")

    def choice(self) -> tuple[str, Values]:
        """The kind of audience and its values, as a notification keeps them.

        Not checked: ``services.meant_groups`` does that.
        """
        data = self.cleaned_data
        kind: str = data["audience"]
        values: Values = []
        if kind == CHOSEN:
            values = data["groups"]
        elif kind == RULE:
            values = self.entered_rule().as_json()
        elif kind == SAVED:
            values = [data["saved"]] if data["saved"] else []
        return kind, values


def choice_fields(*below: LayoutObject) -> Sequence[LayoutObject]:
    """For a layout: the groups, then who in them; ``below`` the IDs of members."""
    return [
        Fieldset(
            _("Groups"),
            "audience",
            Reveals("audience", CHOSEN, "groups"),
            Reveals("audience", RULE, *RULE_FIELDS),
            Reveals("audience", SAVED, "saved"),
        ),
        Fieldset(
            _("Members"), "members", Reveals("members", "named", "recipients", *below)
        ),
    ]


def initial_of_choice(notification: Notification) -> dict[str, Any]:
    """The values of the fields for a draft that is edited."""
    values = notification.audience_values
    match notification.audience:
        case Kind.CHOSEN:
            return {"audience": CHOSEN, "groups": list(values)}
        case Kind.RULE:
            rule = Rule.from_json(values)
        case Kind.TYPES:  # a draft from before there were rules
            rule = Rule(types=tuple(values))
        case Kind.SAVED:
            return {"audience": SAVED, "saved": "".join(values)}
        case _:
            return {"audience": EVERY}
    return {"audience": RULE, **initial_of_rule(rule)}
