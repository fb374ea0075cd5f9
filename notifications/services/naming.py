"""Naming some of many things in one sentence."""

from collections.abc import Sequence

from django.utils.translation import ngettext

NAMED = 5


def first_few(names: Sequence[str], count: int | None = None) -> str:
    """The first few, and how many more; ``count``: of all, where not all are given."""
    shown = ", ".join(names[:NAMED])
    more = (len(names) if count is None else count) - NAMED
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }
