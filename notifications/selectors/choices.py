"""What people are offered to choose from: groups on the Write page, labels."""

from collections.abc import Iterable

from django.db.models import Count, QuerySet

from notifications.models import ChatGroup, Label

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


def labels_of(groups: QuerySet[ChatGroup]) -> list[tuple[str, int]]:
    """The labels that some of these groups have, by name; each with how many have it."""
    links = ChatGroup.labels.through.objects.filter(
        chatgroup__in=groups.order_by().values("pk")
    )
    found = links.values_list("label__name").annotate(count=Count("id"))
    return list(found.order_by("label__name"))


def group_counts(labels: Iterable[Label]) -> dict[int, int]:
    """How many groups have each of these labels, by its row number; none is left out."""
    links = ChatGroup.labels.through.objects.filter(
        label__in=[one.pk for one in labels]
    )
    return dict(links.values_list("label_id").annotate(Count("id")).order_by())
