"""Template filters for numbers, times and names of roles."""

from django import template

from notifications import permissions
from notifications.ui.dates import local_time, time_cell

register = template.Library()
register.filter(local_time)
register.filter(time_cell)


@register.filter
def grouped(number: int) -> str:
    """Format 4186 as "4,186" in every language, as the script of the Write page does."""
    return f"{number:,}"


@register.filter
def role_label(name: str) -> str:
    return permissions.role_label(name)
