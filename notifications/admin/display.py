"""How the admin's lists show times and states."""

from datetime import datetime

from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString


def moment(time: datetime | None) -> SafeString | str:
    """``2026-11-23 19:15:19`` in the current time zone, the same in all languages."""
    if time is None:
        return "–"
    local = timezone.localtime(time)
    return format_html(
        '<time class="nowrap num" datetime="{}">{}</time>',
        local.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S"),
    )


def _in_zone(text: object) -> str:
    return f"{text} ({timezone.get_current_timezone_name()})"


# A heading of times: it names the time zone of whoever looks.
in_zone = lazy(_in_zone, str)


def badge(state: str, label: object) -> SafeString:
    """A state as word, shape and colour."""
    return format_html('<span class="badge s-{}">{}</span>', state, label)


def two_lines(main: str, sub: str) -> SafeString:
    return format_html(
        '<span class="main">{}</span><span class="sub code">{}</span>', main, sub
    )


def labelled(label: object, value: object) -> SafeString:
    """A cell that says what it is where a phone shows no headings."""
    return format_html('<span class="cell-label">{}</span> {}', label, value)
