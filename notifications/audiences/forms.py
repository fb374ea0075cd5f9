"""Form fields of a rule for chat groups, and the form of a saved audience."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.audiences import saved
from notifications.audiences.rule import clean_rule
from notifications.groups.forms import GroupIds
from notifications.models import GroupType, Label, Rule, SavedAudience
from notifications.models.audiences import AUDIENCE_NAME_MAX_LENGTH
from notifications.ui.fields import CheckboxListField
from notifications.ui.made_from import MadeFromForm

# In the order they are shown; each is named like the field of ``Rule`` that it fills.
RULE_FIELDS = (
    "types",
    "labels",
    "name_contains",
    "min_members",
    "max_members",
    "exceptions",
)

NUMBER = {"inputmode": "numeric", "class": "short"}

NO_NUMBER = {"invalid": _("Write a number with digits only, such as 5000.")}


class ConditionField(CheckboxListField):
    """Accepts any value: ``clean_rule`` validates it."""

    def valid_value(self, value: str) -> bool:
        return True


class RuleFields(forms.Form):
    """Base form; ``rule()`` returns the entered rule once the form is cleaned.

    Only the number fields raise errors, so that a form can ignore the errors of
    ``RULE_FIELDS`` while another kind of audience is selected.
    """

    types = ConditionField(label=_("Types"), choices=GroupType.choices)
    labels = ConditionField(
        label=_("Labels"), help_text=_("Groups that have at least one of these.")
    )
    name_contains = forms.CharField(
        label=_("Name contains"),
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
    )
    min_members = forms.IntegerField(
        label=_("Members, at least"),
        required=False,
        widget=forms.TextInput(attrs=NUMBER),
        error_messages=NO_NUMBER,
    )
    max_members = forms.IntegerField(
        label=_("Members, at most"),
        required=False,
        widget=forms.TextInput(attrs=NUMBER),
        error_messages=NO_NUMBER,
    )
    exceptions = GroupIds(
        label=_("Except these groups"),
        rows=2,
        help_text=_("Group IDs, one per line or separated by commas. Up to 500."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(Label.objects.values_list("name", flat=True))
        # A deleted label stays ticked and is refused: without it, the rule would
        # silently match more groups.
        deleted = [name for name in self["labels"].value() or () if name not in names]
        field = self.fields["labels"]
        field.choices = [(name, name) for name in names + deleted]  # type: ignore[attr-defined]  # a ChoiceField
        if not field.choices:  # type: ignore[attr-defined]  # a ChoiceField
            # ``self["labels"]`` cached the bound field with its help text.
            self["labels"].help_text = _("No group has a label yet.")

    def rule(self) -> Rule:
        """Raises ``ValidationError`` by field, or a non-field error for an empty rule."""
        return clean_rule(self.entered_rule())

    def entered_rule(self) -> Rule:
        """The entered rule, not validated."""
        values = {name: self.cleaned_data.get(name) for name in RULE_FIELDS}
        return Rule(
            types=tuple(values["types"] or ()),
            labels=tuple(values["labels"] or ()),
            name_contains=values["name_contains"] or "",
            min_members=values["min_members"],
            max_members=values["max_members"],
            exceptions=tuple(values["exceptions"] or ()),
        )


def initial_of_rule(rule: Rule) -> dict[str, Any]:
    """The values of ``RULE_FIELDS`` for a rule that is edited."""
    return {
        "types": list(rule.types),
        "labels": list(rule.labels),
        "name_contains": rule.name_contains,
        "min_members": rule.min_members,
        "max_members": rule.max_members,
        "exceptions": "\n".join(rule.exceptions),
    }


class AudienceForm(MadeFromForm, RuleFields):
    """``valid_rule`` is the entered rule once it is valid, even without a name."""

    name = forms.CharField(
        label=_("Name"),
        required=False,  # clean_name has a better message
        widget=forms.TextInput(
            attrs={"class": "vTextField", "maxlength": AUDIENCE_NAME_MAX_LENGTH}
        ),
        help_text=_("People choose the audience by this name when they write."),
    )

    def __init__(
        self, data: Any = None, *, audience: SavedAudience | None = None
    ) -> None:
        self.pk = audience.pk if audience else None
        self.is_change = audience is not None
        initial = (
            {"name": audience.name} | initial_of_rule(audience.rule) if audience else {}
        )
        super().__init__(data, initial=initial, label_suffix="")
        self.valid_rule: Rule | None = (
            audience.rule if audience and data is None else None
        )
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            Fieldset(_("Audience"), "name"),
            Fieldset(_("Groups that meet all of this"), *RULE_FIELDS),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                self.valid_rule = self.rule()
            except ValidationError as error:
                self.add_error(None, error)
        return data

    def check_name(self) -> None:
        """Not in ``clean``: “Count” works for an audience without a name."""
        try:
            self.cleaned_data["name"] = saved.clean_name(
                self.cleaned_data["name"], self.pk
            )
        except ValidationError as error:
            self.add_error("name", error)
