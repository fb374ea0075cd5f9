"""Form widgets, fields and layout objects."""

from typing import Any

from crispy_forms.layout import Fieldset
from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class CheckboxList(forms.CheckboxSelectMultiple):
    """``label`` is the accessible name of the group of checkboxes."""

    def __init__(self, label: object, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = label

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html(
            '<div class="tick-list" role="group" aria-label="{}">{}</div>',
            self.label,
            super().render(*args, **kwargs),
        )


class CheckboxMultiple(forms.CheckboxSelectMultiple):
    """Checkboxes side by side, for a fieldset with a legend; a long list scrolls."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html(
            '<div class="tick-list beside">{}</div>', super().render(*args, **kwargs)
        )


class CheckboxListField(forms.MultipleChoiceField):
    """Any number of ``choices``, also none."""

    widget = CheckboxMultiple
    default_error_messages = {"invalid_choice": _("“%(value)s” is not in this list.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


class ConditionalFieldset(Fieldset):  # type: ignore[misc]  # crispy-forms has no types
    """Fields shown only while the field ``when`` has the value ``equals``.

    ``equals`` may be several values with spaces between them. Without JavaScript they stay visible. The server validates them in both cases.
    """

    def __init__(self, when: str, equals: str, *fields: Any, **kwargs: Any) -> None:
        super().__init__(
            "",
            *fields,
            data_show_when=when,
            data_show_equals=equals,
            css_class="dependent",
            **kwargs,
        )


class FoldedFieldset(Fieldset):  # type: ignore[misc]  # crispy-forms has no types
    """Fields in a ``details`` element, open if one has an error or another value.

    All ``fields`` are names.
    """

    template = "%s/layout/folded.html"

    def render(self, form: forms.Form, *args: Any, **kwargs: Any) -> SafeString:
        self.is_open = any(
            name in form.errors or _has_value(form[name]) for name in self.fields
        )
        rendered: SafeString = super().render(form, *args, **kwargs)
        return rendered


def _has_value(field: forms.BoundField) -> bool:
    """Whether it differs from the value in an empty form."""
    return bool(field.field.has_changed(field.field.initial, field.value()))
