"""Parsing of lists of IDs that users type or paste."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from notifications.groups.queries import known_ids
from notifications.ui.text import SEPARATORS, WORDS, split_ids


def split_group_ids(text: str) -> list[str]:
    """Like ``split_ids``, but never splits the ID of an existing group.

    Unlike the ID of a member, the ID of a group may contain a comma or a semicolon.
    Raises ``ValidationError``.
    """
    words = split_ids(text, WORDS)
    known = known_ids([word for word in words if SEPARATORS.search(word)])
    parts = [
        [word] if word in known or not SEPARATORS.search(word) else split_ids(word)
        for word in words
    ]
    return list(chain.from_iterable(parts))


def count_duplicates(ids: Sequence[str]) -> int:
    """Number of IDs that occur more than once."""
    return sum(count > 1 for count in Counter(ids).values())
