"""Numbers as people read them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """4186 as "4,186", as the reader's language groups it."""
    return str(number_format(number, force_grouping=True))
