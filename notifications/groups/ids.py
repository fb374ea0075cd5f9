"""Parsing of lists of IDs that users type or paste."""

from collections import Counter
from collections.abc import Sequence

from notifications.groups.queries import known_ids
from notifications.ui.text import SEPARATORS, split_ids


def split_group_ids(text: str) -> list[str]:
    """Like ``split_ids``, but never splits the ID of an existing group.

    Unlike the ID of a member, the ID of a group may contain a comma or a semicolon.
    """
    words = text.split()
    known = known_ids([word for word in words if SEPARATORS.search(word)])
    return [
        group_id
        for word in words
        for group_id in ([word] if word in known else split_ids(word))
    ]


def count_duplicates(ids: Sequence[str]) -> int:
    """Number of IDs that occur more than once."""
    return sum(count > 1 for count in Counter(ids).values())
