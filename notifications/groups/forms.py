"""Forms of chat groups and labels, and the form field for group IDs."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.groups.ids import split_group_ids
from notifications.groups.label_names import split_labels
from notifications.models import ChatGroup, Label
from notifications.models.groups import LABEL_MAX_LENGTH
from notifications.ui.fields import CheckboxListField
from notifications.ui.made_from import MadeFromForm
from notifications.ui.text import has_control


class LabelChoice(forms.Form):
    """Selection of labels; also a mixin. ``names()`` returns the selected labels."""

    label_names = CheckboxListField(label=_("Labels"))
    new_labels = forms.CharField(
        label=_("New labels"),
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("Such as a region or a campaign; several are separated by commas."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Label.objects.values_list("name", flat=True)
        field = self.fields["label_names"]
        field.choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # a ChoiceField
        if not field.choices:  # type: ignore[attr-defined]  # a ChoiceField
            field.help_text = _("There are no labels yet. Write the first one below.")

    def clean_new_labels(self) -> list[str]:
        return split_labels(self.cleaned_data["new_labels"])

    def names(self) -> list[str]:
        return [*self.cleaned_data["label_names"], *self.cleaned_data["new_labels"]]


class LabelRemoval(forms.Form):
    """Labels to remove; ``label_counts`` has the number of groups for each."""

    label_names = CheckboxListField(label=_("Labels"))

    def __init__(self, *args: Any, label_counts: Iterable[tuple[str, int]]) -> None:
        super().__init__(*args)
        choices = [(name, f"{name} ({count:,})") for name, count in label_counts]
        self.fields["label_names"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def names(self) -> list[str]:
        return list(self.cleaned_data["label_names"])


class LabelName(forms.Form):
    """The new name of a label; ``before`` is its name on the page that was shown."""

    before = forms.CharField(required=False, widget=forms.HiddenInput)

    name = forms.CharField(
        label=_("New name"),
        required=False,  # clean_label has a better message
        widget=forms.TextInput(
            attrs={"class": "vTextField", "maxlength": LABEL_MAX_LENGTH}
        ),
    )


class GroupForm(MadeFromForm, forms.ModelForm, LabelChoice):
    """One chat group with its labels."""

    class Meta:
        model = ChatGroup
        fields = ("group_id", "name", "type", "member_count", "state")

    def __init__(
        self, *args: Any, instance: ChatGroup | None = None, **kwargs: Any
    ) -> None:
        if instance is not None and instance.pk is not None:
            names = list(instance.labels.values_list("name", flat=True))
            kwargs["initial"] = {"label_names": names} | (kwargs.get("initial") or {})
        super().__init__(*args, instance=instance, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if has_control(name):
            raise ValidationError(
                _(
                    "The name “%(name)s” has a character that cannot be shown. Remove it."
                )
                % {"name": "".join(c if c.isprintable() else "�" for c in name)}
            )
        return name


class GroupIds(forms.CharField):
    """Group IDs with any separator; rendered with one ID per line.

    All IDs are in one field because Django limits the number of fields, not their length.
    picker.js replaces it by a search field with chips.
    """

    widget = forms.Textarea

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.widget.attrs |= {
            "rows": rows,
            "spellcheck": "false",
            "autocapitalize": "off",
            "data-picker": "",
        }

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list
        return split_group_ids(super().to_python(value) or "")

    def prepare_value(self, value: Any) -> str:
        try:
            ids = split_group_ids(value) if isinstance(value, str) else value or []
        except ValidationError:
            return ""  # too long to be shown; the field shows the error
        return "\n".join(ids)
