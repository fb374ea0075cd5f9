"""The form of a saved audience: a name and a rule."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.models import Rule, SavedAudience
from notifications.models.audiences import AUDIENCE_NAME_MAX_LENGTH
from notifications.services import saved_audiences

from .rule import RULE_FIELDS, RuleFields, initial_of_rule


class AudienceForm(RuleFields):
    """``found`` is the rule once it makes sense, whatever the name is."""

    name = forms.CharField(
        label=_("Name"),
        required=False,  # clean_name says it better
        widget=forms.TextInput(
            attrs={"class": "vTextField", "maxlength": AUDIENCE_NAME_MAX_LENGTH}
        ),
        help_text=_("People choose the audience by this name when they write."),
    )

    def __init__(
        self, data: Any = None, *, audience: SavedAudience | None = None
    ) -> None:
        self.pk = audience.pk if audience else None
        initial = (
            {"name": audience.name} | initial_of_rule(audience.rule) if audience else {}
        )
        super().__init__(data, initial=initial, label_suffix="")
        self.found: Rule | None = audience.rule if audience and data is None else None
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
                self.found = self.rule()
            except ValidationError as error:
                self.add_error(None, error)
        return data

    def check_name(self) -> None:
        """Only for what is saved: groups are counted for an audience without a name."""
        try:
            self.cleaned_data["name"] = saved_audiences.clean_name(
                self.cleaned_data["name"], self.pk
            )
        except ValidationError as error:
            self.add_error("name", error)
