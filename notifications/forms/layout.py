"""Parts of a form's layout that crispy-forms does not have."""

from typing import Any

from crispy_forms.layout import Fieldset


class Reveals(Fieldset):  # type: ignore[misc]  # crispy-forms has no types
    """Fields that matter only while another field has a value.

    Without JavaScript they stay visible; the server checks in any case.
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
