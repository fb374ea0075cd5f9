"""What people are offered to choose from: groups on the Write page, labels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db.models import Case, Count, QuerySet, When

from notifications.models import ChatGroup, Label

from .audiences import Kind, audience

MOST = 20
NAME_MAX_LENGTH = 100


def suggestions(term: str) -> Sequence[ChatGroup]:
    """Groups in use whose name, former name or ID holds ``term``; one query.

    First the group with that ID, then those whose name begins with the term, then the
    others, by name. One more than ``MOST`` at most, so that the caller can tell whether
    there are more. No group matches a term that no name can hold: a longer one, or one
    with a null character, which PostgreSQL would not even take.
    """
    term = term.strip()
    if len(term) > NAME_MAX_LENGTH or "\0" in term:
        return []
    every = audience(Kind.EVERY, [])
    if not term:
        return list(every.going_groups()[: MOST + 1])
    rank = Case(When(group_id=term, then=0), When(place=1, then=1), default=2)
    # Asked for before the reasons for being left out, since few groups pass it.
    matching = ChatGroup.objects.matching(term)
    ranked = replace(every, meant=matching).going_groups().alias(rank=rank)
    return list(ranked.order_by("rank", "name", "id")[: MOST + 1])


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
