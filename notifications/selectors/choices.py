"""What people are offered to choose from: groups on the Write page, labels."""

from collections.abc import Iterable, Sequence

from django.db.models import Case, Count, QuerySet, Value, When
from django.db.models.functions import Lower, StrIndex

from notifications.models import ChatGroup, Label

from .audiences import Kind, audience

MOST = 20
NAME_MAX_LENGTH = 100
# So many matches are put in order; of more, as many as are shown are soon found by name.
FEW = 500


def suggestions(term: str) -> Sequence[ChatGroup]:
    """Groups in use whose name, former name or ID holds ``term``; three queries at most.

    First the group with that ID. Then, of few, those whose name begins with the term;
    all others by name. One more than ``MOST`` at most, so that the caller can tell
    whether there are more. No group matches a term that no name can hold: a longer
    one, or one with a null character, which PostgreSQL would not even take.
    """
    term = term.strip()
    if len(term) > NAME_MAX_LENGTH or "\0" in term:
        return []
    groups = audience(Kind.EVERY, []).going_groups()
    if not term:
        return list(groups[: MOST + 1])
    # ``search_text`` begins with the name. To ask for the place of the term costs SQLite
    # a fifth of what LIKE costs.
    matching = groups.alias(
        place=StrIndex("search_text", Lower(Value(term))),
        rank=Case(When(group_id=term, then=0), When(place=1, then=1), default=2),
    ).filter(place__gt=0)
    found = list(matching.order_by().values_list("pk", flat=True)[: FEW + 1])
    if len(found) <= FEW:
        ranked = matching.filter(pk__in=found).order_by("rank", "name", "id")
        return list(ranked[: MOST + 1])
    exact = matching.filter(group_id=term)
    others = matching.exclude(group_id=term)
    return [*exact, *others[: MOST + 1]][: MOST + 1]


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
