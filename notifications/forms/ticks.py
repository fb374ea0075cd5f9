"""Several choices as boxes to tick, named as a group."""

from typing import Any

from django.forms import CheckboxSelectMultiple
from django.utils.html import format_html
from django.utils.safestring import SafeString


class TickList(CheckboxSelectMultiple):
    """``label`` is what a screen reader says for the whole group."""

    def __init__(self, label: object, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = label

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html(
            '<div class="tick-list" role="group" aria-label="{}">{}</div>',
            self.label,
            super().render(*args, **kwargs),
        )
