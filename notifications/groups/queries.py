"""What a row of the list of chat groups shows besides the group's own values."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from notifications.db.expressions import InList
from notifications.models import ChatGroup, Delivery, GroupType, Label
from notifications.models.groups import ChatGroupQuerySet
from notifications.tencent.ids import is_group_id


def group_rows(page: QuerySet[ChatGroup]) -> list[Any]:
    """The groups of one page with their labels and ``last_sent_at``; three queries.

    First only which groups they are: databases sort whole rows, and work columns out
    also for rows that they skip on the way to a deep page.
    """
    ids = list(page.values_list("pk", flat=True))
    newest = Delivery.objects.history().filter(group_id=OuterRef("group_id"))
    last = Subquery(newest.order_by("-id").values("created_at")[:1])
    rows = ChatGroup.objects.defer("search_text").annotate(last_sent_at=last)
    found = rows.prefetch_related("labels").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def type_label(group: ChatGroup) -> str:
    """The type as people read it; one that came after us is Tencent's own word."""
    if group.type in GroupType.values:
        return str(GroupType(group.type).label)
    return _("%(type)s (unknown type)") % {"type": group.type}


def known_ids(candidates: Iterable[str]) -> set[str]:
    """Those of ``candidates`` that are the ID of a group, in use or not."""
    found = groups_among(list(candidates)).order_by()
    return set(found.values_list("group_id", flat=True))


def groups_by_id(group_ids: Iterable[str]) -> dict[str, ChatGroup]:
    return {group.group_id: group for group in groups_among(list(group_ids)).order_by()}


def groups_among(group_ids: Sequence[str]) -> ChatGroupQuerySet:
    # What cannot be an ID is not asked for: PostgreSQL refuses a null character.
    wanted = [group_id for group_id in group_ids if is_group_id(group_id)]
    if not wanted:
        return ChatGroup.objects.none()
    return ChatGroup.objects.filter(InList("group_id", wanted))


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
