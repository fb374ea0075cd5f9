"""IDs as people type and paste them: cut into a list, and which were given again."""

from collections import Counter
from collections.abc import Sequence

from notifications.groups.queries import known_ids
from notifications.ui.text import SEPARATORS, split_ids


def split_group_ids(text: str) -> list[str]:
    """Like ``split_ids``, but what is a group's ID as a whole stays whole.

    Unlike the ID of a member, the ID of a group may hold a comma or a semicolon.
    """
    words = text.split()
    whole = known_ids([word for word in words if SEPARATORS.search(word)])
    return [
        group_id
        for word in words
        for group_id in ([word] if word in whole else split_ids(word))
    ]


def count_duplicates(ids: Sequence[str]) -> int:
    """How many IDs were given more than once."""
    return sum(times > 1 for times in Counter(ids).values())
