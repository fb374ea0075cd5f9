"""Rows of the history that match the filters."""

from collections.abc import Iterable
from typing import TypeAlias

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat

from notifications.db.expressions import InList
from notifications.delivery.portions import groups_with_problems
from notifications.history.search.by_groups import (
    FEW,
    FewRows,
    NewestOfEach,
    NotificationScan,
    has_few_rows,
)
from notifications.history.search.by_result_counts import ByResultCounts
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import (
    DeliveryFilter,
    NotificationFilter,
    non_empty,
)
from notifications.models import ChatGroup, Delivery, Notification, Tally
from notifications.ui.dates import end_of, start_of

# Upper limit for a search; a single letter, for example, matches more groups.
SEARCHED_GROUPS = 500

PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]


DeliveryListing: TypeAlias = ByResultCounts | FewRows | NewestOfEach | NotificationScan


class TooManyGroups(Exception):
    """More than ``SEARCHED_GROUPS`` groups match."""


def notifications(filters: NotificationFilter, user_id: int) -> QuerySet[Notification]:
    """The history and the user's own drafts."""
    rows: QuerySet[Notification] = Notification.objects.visible_to(user_id)
    if filters.text:
        rows = rows.filter(
            Q(content__icontains=filters.text)
            | Q(note__icontains=filters.text)
            | Q(sender_name__icontains=filters.text)
            | Q(sender_id__in=_users_named(filters.text).values("pk"))
        )
    if filters.since:
        rows = rows.filter(sent_at__gte=start_of(filters.since))
    if filters.until:
        rows = rows.filter(sent_at__lt=end_of(filters.until))
    return rows.filter(
        **non_empty(
            status=filters.status, sender_name=filters.sender, channel=filters.channel
        )
    ).order_by("-id")


def _users_named(text: str) -> QuerySet[User]:
    """Users by their current full names, family name first or last."""
    return User.objects.annotate(
        given_first=Concat("first_name", Value(" "), "last_name"),
        family_first=Concat("last_name", "first_name"),
    ).filter(Q(given_first__icontains=text) | Q(family_first__icontains=text))


def problems_of(notifications: Iterable[Notification]) -> dict[int, dict[str, int]]:
    """Count the failed and unconfirmed deliveries of each notification.

    One query reads the tallies of sealed notifications and the rows of the others. For
    notifications to single members, groups are counted, which takes one more query.
    """
    rows = list(notifications)
    numbers = [row.pk for row in rows]
    unsealed = Notification.objects.filter(pk__in=numbers, seal__isnull=True)
    of_sealed = (
        Tally.objects.filter(notification_id__in=numbers, status__in=PROBLEMS)
        .order_by()
        .values_list("notification_id", "status")
        .annotate(n=Sum("count"))
    )
    of_others = (
        Delivery.objects.filter(
            notification_id__in=unsealed.values("pk"), status__in=PROBLEMS
        )
        .order_by()
        .values_list("notification_id", "status")
        .annotate(n=Count("id"))
    )
    problems: dict[int, dict[str, int]] = {}
    for notification_id, status, n in of_sealed.union(of_others, all=True):
        problems.setdefault(notification_id, {})[status] = n
    return problems | groups_with_problems(rows)


def group_ids_matching(term: str) -> list[str]:
    """IDs of the groups that match a search; raises ``TooManyGroups``.

    The table of groups is small enough to scan; the history is then searched by their
    IDs, which have an index. A trigram index finds no Chinese word of two characters.
    """
    groups = ChatGroup.objects.matching(term).order_by()
    group_ids = list(groups.values_list("group_id", flat=True)[: SEARCHED_GROUPS + 1])
    if len(group_ids) > SEARCHED_GROUPS:
        raise TooManyGroups
    # Include the term: it may be the ID of a group that is no longer in the table.
    return list(dict.fromkeys([term, *group_ids]))


def deliveries(
    filters: DeliveryFilter,
    unsealed: Iterable[UnsealedNotification],
    *,
    few: int = FEW,
) -> DeliveryListing:
    """Choose the fastest listing; ``unsealed`` is that of ``facets()``.

    With other filters, at most ``few`` deliveries to the groups are all read.
    """
    numbers = [row.notification for row in unsealed if filters.may_match(row)]
    if filters.group_ids is None:
        return ByResultCounts(filters, numbers)
    if not filters.conditions:
        return NewestOfEach(filters.group_ids)
    if has_few_rows(filters.group_ids, few):
        return FewRows(matching_rows(filters))
    return NotificationScan(filters, numbers)


def matching_rows(filters: DeliveryFilter) -> QuerySet[Delivery]:
    """The same rows as a plain query, which is fast only for few rows."""
    rows = Delivery.objects.history().filter(**filters.conditions)
    if filters.group_ids is not None:
        rows = rows.filter(InList("group_id", filters.group_ids))
    return rows
