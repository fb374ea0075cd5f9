"""Which rows of the history the filters mean."""

from collections.abc import Iterable
from typing import TypeAlias

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat

from notifications.delivery.portions import groups_with_problems
from notifications.history.search.by_groups import (
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
    given_values,
)
from notifications.models import ChatGroup, Delivery, Notification, Tally
from notifications.ui.dates import end_of, start_of

# More groups than these are no search: somebody typed a single letter.
SEARCHED_GROUPS = 500

PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]


DeliveryListing: TypeAlias = ByResultCounts | FewRows | NewestOfEach | NotificationScan


class TooManyGroups(Exception):
    """More than ``SEARCHED_GROUPS`` groups match."""


def notifications(wanted: NotificationFilter, user_id: int) -> QuerySet[Notification]:
    """The history and this person's own drafts."""
    rows: QuerySet[Notification] = Notification.objects.visible_to(user_id)
    if wanted.text:
        rows = rows.filter(
            Q(content__icontains=wanted.text)
            | Q(note__icontains=wanted.text)
            | Q(sender_name__icontains=wanted.text)
            | Q(sender_id__in=_people_called(wanted.text).values("pk"))
        )
    if wanted.since:
        rows = rows.filter(sent_at__gte=start_of(wanted.since))
    if wanted.until:
        rows = rows.filter(sent_at__lt=end_of(wanted.until))
    return rows.filter(
        **given_values(status=wanted.status, sender_name=wanted.sender)
    ).order_by("-id")


def _people_called(text: str) -> QuerySet[User]:
    """By their full names of today, family name first or last."""
    return User.objects.annotate(
        given_first=Concat("first_name", Value(" "), "last_name"),
        family_first=Concat("last_name", "first_name"),
    ).filter(Q(given_first__icontains=text) | Q(family_first__icontains=text))


def problems_of(notifications: Iterable[Notification]) -> dict[int, dict[str, int]]:
    """How many deliveries of each notification failed or are not confirmed.

    From the tallies of those that are sealed, from the rows of the others: one query.
    Where members were named, groups are counted, which takes one more.
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
    found: dict[int, dict[str, int]] = {}
    for notification_id, status, n in of_sealed.union(of_others, all=True):
        found.setdefault(notification_id, {})[status] = n
    return found | groups_with_problems(rows)


def group_ids_matching(term: str) -> list[str]:
    """IDs of the groups that a search means; raises ``TooManyGroups``.

    Groups first: a small table, searched in any way; then their IDs by an index of the
    history. A trigram index finds no Chinese word of two characters.
    """
    groups = ChatGroup.objects.matching(term).order_by()
    found = list(groups.values_list("group_id", flat=True)[: SEARCHED_GROUPS + 1])
    if len(found) > SEARCHED_GROUPS:
        raise TooManyGroups
    # The ID of a group that is no longer in the list still finds its history.
    return list(dict.fromkeys([term, *found]))


def deliveries(
    wanted: DeliveryFilter, live: Iterable[UnsealedNotification]
) -> DeliveryListing:
    """The rows, newest first; ``live`` as ``occurring()`` found it."""
    numbers = [row.notification for row in live if wanted.may_mean(row)]
    if wanted.group_ids is None:
        return ByResultCounts(wanted, numbers)
    if not wanted.conditions:
        return NewestOfEach(wanted.group_ids)
    if has_few_rows(wanted.group_ids):
        return FewRows(rows_of(wanted))
    return NotificationScan(wanted, numbers)


def rows_of(wanted: DeliveryFilter) -> QuerySet[Delivery]:
    """The same rows as a plain query, which is quick only where few are to be read."""
    rows = Delivery.objects.history().filter(**wanted.conditions)
    if wanted.group_ids is not None:
        rows = rows.filter(group_id__in=wanted.group_ids)
    return rows
