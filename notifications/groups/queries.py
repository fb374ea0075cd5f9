"""Queries of chat groups and their labels."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from notifications.db.expressions import InList
from notifications.models import ChatGroup, Delivery, GroupType, Label
from notifications.models.groups import ChatGroupQuerySet
from notifications.tencent.ids import is_group_id


def group_rows(page: QuerySet[ChatGroup]) -> list[Any]:
    """The groups of one page with their labels and ``last_sent_at``, in three queries.

    The first query selects only primary keys: databases sort whole rows, and also compute
    columns for the rows that they skip before a deep page.
    """
    pks = list(page.values_list("pk", flat=True))
    deliveries = Delivery.objects.history().filter(group_id=OuterRef("group_id"))
    last = Subquery(deliveries.order_by("-id").values("created_at")[:1])
    rows = ChatGroup.objects.defer("search_text").annotate(last_sent_at=last)
    groups = rows.prefetch_related("labels").in_bulk(pks)
    return [groups[pk] for pk in pks if pk in groups]


def type_label(group: ChatGroup) -> str:
    """Label of the group's type; Tencent's own word for an unknown type."""
    if group.type in GroupType.values:
        return str(GroupType(group.type).label)
    return _("%(type)s (unknown type)") % {"type": group.type}


def known_ids(candidates: Iterable[str]) -> set[str]:
    """Those ``candidates`` that are the ID of a group in any state."""
    groups = groups_among(list(candidates)).order_by()
    return set(groups.values_list("group_id", flat=True))


def groups_by_id(group_ids: Iterable[str]) -> dict[str, ChatGroup]:
    return {group.group_id: group for group in groups_among(list(group_ids)).order_by()}


def groups_among(group_ids: Sequence[str]) -> ChatGroupQuerySet:
    # Invalid IDs are not part of the query: PostgreSQL refuses a null character.
    valid = [group_id for group_id in group_ids if is_group_id(group_id)]
    if not valid:
        return ChatGroup.objects.none()
    return ChatGroup.objects.filter(InList("group_id", valid))


def label_counts(groups: QuerySet[ChatGroup]) -> list[tuple[str, int]]:
    """Labels of the groups, ordered by name, with the number of groups for each."""
    links = ChatGroup.labels.through.objects.filter(
        chatgroup__in=groups.order_by().values("pk")
    )
    counts = links.values_list("label__name").annotate(count=Count("id"))
    return list(counts.order_by("label__name"))


def group_counts(labels: Iterable[Label]) -> dict[int, int]:
    """Number of groups by primary key of the label; includes groups in all states."""
    pks = [label.pk for label in labels]
    links = ChatGroup.labels.through.objects.filter(label__in=pks)
    return dict(links.values_list("label_id").annotate(Count("id")).order_by())
