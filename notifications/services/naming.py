"""Naming some of many things in one sentence."""

from collections.abc import Sequence

from django.utils.translation import ngettext

NAMED = 5


def first_few(
    names: Sequence[str], count: int | None = None, *, most: int = NAMED
) -> str:
    """``most`` of them, and how many more; ``count``: of all, if not all are given."""
    shown = ", ".join(names[:most])
    more = (len(names) if count is None else count) - most
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }
