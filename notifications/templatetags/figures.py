"""Numbers, times and names as people read them."""

from django import template

from notifications import permissions
from notifications.ui.dates import local_time, time_cell

register = template.Library()
register.filter(local_time)
register.filter(time_cell)


@register.filter
def grouped(number: int) -> str:
    """4186 as "4,186", in both languages, as the script on the Write page does."""
    return f"{number:,}"


@register.filter
def role_label(name: str) -> str:
    return permissions.role_label(name)
