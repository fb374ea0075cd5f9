"""Which groups the Write page offers while somebody types."""

from notifications.models import ChatGroup

MOST = 20
NAME_MAX_LENGTH = 100


def suggestions(term: str) -> list[ChatGroup]:
    """Groups in use whose name or ID holds ``term``, by name; one query.

    One more than ``MOST`` at most, so that the caller can tell whether there are more.
    No group matches a term that no name can hold: a longer one, or one with a null
    character, which PostgreSQL would not even take.
    """
    term = term.strip()
    if len(term) > NAME_MAX_LENGTH or "\0" in term:
        return []
    found = ChatGroup.objects.usable().matching(term).order_by("name", "id")
    return list(found[: MOST + 1])
