"""Every listing returns the same deliveries as a plain query."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from notifications.history import export
from notifications.history.search import queries as search_queries
from notifications.history.search.by_groups import NotificationScan
from notifications.history.search.by_result_counts import ByResultCounts
from notifications.history.search.facets import facets
from notifications.history.search.filters import DeliveryFilter
from notifications.models import Delivery
from notifications.record.guards import install as guards_install
from notifications.ui.lists import Count, listing_page
from tests.factories import (
    MOMENT,
    make_archive,
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

SIZE = 4
RESULTS = [
    {"status": "accepted"},
    {"status": "failed"},
    {"status": "failed", "error_code": 10007},
    {"status": "unconfirmed"},
    {"status": "cancelled"},
]
CHOICES = {
    "status": ["", "", "accepted", "failed", "unconfirmed", "queued"],
    "group_type": ["", "", "Public", "AVChatRoom"],
    "sender": ["", "", "lin.mei", "j.okafor"],
    "code": [None, None, 10007, 10010],
    "reason": ["", "", "", "no_answer"],
    "channel": ["", "", "sends", "recall"],
    "since": [None, None, date(2026, 3, 3), date(2026, 3, 4)],
    "until": [None, None, date(2026, 3, 2), date(2026, 3, 3)],
}


def fill(source: random.Random) -> None:
    """Create three times three notifications with interleaved rows; seal some."""
    groups = [make_group(type=kind) for kind in ("Public", "AVChatRoom") * 3]
    senders = [make_user(), make_user(username="j.okafor")]
    sent = [
        make_notification(sender=source.choice(senders), status="completed")
        for _n in range(6)
    ]
    sent += [
        make_notification(
            sender=source.choice(senders),
            status="completed",
            channel=channel,
            amends=sent[0],
        )
        for channel in ("recall", "correction", "recall")
    ]
    source.shuffle(sent)
    for day in range(3):
        three = sent[3 * day : 3 * day + 3]
        pairs = [(n, g) for n in three for g in groups]
        for notification, group in source.sample(pairs, 14):
            make_delivery(
                notification,
                group,
                created_at=MOMENT + timedelta(days=day),
                **source.choice(RESULTS),
            )
    for notification in source.sample(sent, 6):
        make_seal(notification)
    running = make_notification(sender=senders[0], status="sending")
    for group, status in zip(groups, ("queued", "failed"), strict=False):
        make_delivery(
            running, group, created_at=MOMENT + timedelta(days=2), status=status
        )


def random_filters(
    source: random.Random, group_ids: Sequence[str] | None
) -> DeliveryFilter:
    filters = {name: source.choice(values) for name, values in CHOICES.items()}
    return DeliveryFilter(group_ids=group_ids, **filters)


def plain(filters: DeliveryFilter) -> list[int]:
    """The ids of the rows by a plain query, newest first."""
    return list(
        search_queries.matching_rows(filters)
        .order_by("-pk")
        .values_list("pk", flat=True)
    )


def middle() -> int:
    numbers = sorted(Delivery.objects.values_list("pk", flat=True))
    return numbers[len(numbers) // 2]


def unsealed_ids(filters: DeliveryFilter) -> list[int]:
    return [row.notification for row in facets().unsealed if filters.may_match(row)]


def check(
    rows: search_queries.DeliveryListing,
    filters: DeliveryFilter,
    source: random.Random,
) -> None:
    expected = plain(filters)
    numbers = sorted(Delivery.objects.values_list("pk", flat=True))
    for place in [None, numbers[-1] + 1, *source.sample(numbers, 2)]:
        below = [pk for pk in expected if place is None or pk < place]
        assert [row.pk for row in rows.older(place, SIZE)] == below[:SIZE], filters
        if place is not None:
            above = [pk for pk in expected[::-1] if pk > place]
            assert [row.pk for row in rows.newer(place, SIZE)] == above[:SIZE], filters


@pytest.mark.parametrize("seed", range(3))
def test_by_tallies(seed):
    source = random.Random(seed)
    fill(source)

    for _n in range(40):
        filters = random_filters(source, None)
        rows = ByResultCounts(filters, unsealed_ids(filters), max_branches=2)
        check(rows, filters, source)


@pytest.mark.parametrize("reads", [1, 8, 4000])
@pytest.mark.parametrize("seed", range(2))
def test_by_groups(seed, reads):
    source = random.Random(seed)
    fill(source)
    ids = sorted(set(Delivery.objects.values_list("group_id", flat=True)))

    for _n in range(25):
        filters = random_filters(source, source.sample(ids, 3))
        scan = NotificationScan(filters, unsealed_ids(filters), reads=reads)
        check(scan, filters, source)
        for few_rows in (filters, DeliveryFilter(group_ids=source.sample(ids, 2))):
            rows = search_queries.deliveries(few_rows, facets().unsealed)
            check(rows, few_rows, source)


@pytest.mark.parametrize("searched", [1, 9])  # by result, by group
@pytest.mark.parametrize(
    ("matching", "at_most"), [([], 8), ([0], 8), ([11], 5), (range(12), 5)]
)
def test_batches_grow_until_the_page_is_full(
    searched, matching, at_most, django_assert_max_num_queries
):
    """Twelve notifications to the same groups; of ``matching``, all match."""
    groups = [make_group() for _n in range(searched)]
    other = make_group()
    for number in range(12):
        notification = make_notification(status="completed")
        status = "failed" if number in matching else "accepted"
        for group in groups:
            make_delivery(notification, group, status=status)
        make_delivery(notification, other, status="failed")
        make_seal(notification)
    filters = DeliveryFilter(
        group_ids=[group.group_id for group in groups], status="failed"
    )

    scan = NotificationScan(filters, [], reads=4)

    check(scan, filters, random.Random(0))
    with django_assert_max_num_queries(at_most):
        scan.older(None, 1)


def test_the_pages_of_a_filter_walked_there_and_back():
    source = random.Random(7)
    fill(source)
    filters = DeliveryFilter(status="failed")
    rows = search_queries.deliveries(filters, facets().unsealed)

    there = [listing_page(rows, size=SIZE)]
    while there[-1].older is not None:
        there.append(listing_page(rows, before=there[-1].older, size=SIZE))
    back = [there[-1]]
    while back[-1].newer is not None:
        back.append(listing_page(rows, after=back[-1].newer, size=SIZE))

    assert [row.pk for page in there for row in page.rows] == plain(filters)
    assert [page.rows for page in back] == [page.rows for page in there[::-1]]


def test_the_count_is_that_of_the_rows_wherever_the_page_is():
    source = random.Random(3)
    fill(source)

    for _n in range(20):
        filters = random_filters(source, None)
        expected = len(plain(filters))
        for place in (None, middle()):
            rows = search_queries.deliveries(filters, facets().unsealed)
            rows.older(place, SIZE)
            assert rows.count().number == expected
            assert not rows.count().is_more


def test_counting_ends_at_the_limit():
    fill(random.Random(1))

    for place in (None, middle()):
        rows = ByResultCounts(DeliveryFilter(), unsealed_ids(DeliveryFilter()))
        rows.older(place, SIZE)
        assert rows.count(limit=9) == Count(9, is_more=True)


def test_what_is_archived_is_gone_from_the_list():
    present, archived = (make_notification(status="completed") for _n in range(2))
    row = make_delivery(present, status="failed")
    gone = make_delivery(archived, status="failed")
    make_seal(present)
    make_seal(archived)
    make_archive(archived)
    with guards_install.guards_disabled():
        Delivery.objects.filter(pk=gone.pk).delete()

    rows = search_queries.deliveries(DeliveryFilter(status="failed"), facets().unsealed)

    assert [delivery.pk for delivery in rows.older(None, SIZE)] == [row.pk]
    assert rows.count().number == 1


def test_of_a_search_with_many_rows_only_what_was_seen_is_counted():
    group = make_group()
    for _n in range(SIZE + 1):
        make_delivery(group=group, status="failed")
    filters = DeliveryFilter(group_ids=[group.group_id], status="failed")
    rows = search_queries.deliveries(filters, facets().unsealed, few=0)

    rows.older(None, SIZE)
    assert (rows.count().number, rows.count().is_more) == (SIZE - 1, True)
    rows.older(None, SIZE + 2)
    assert (rows.count().number, rows.count().is_more) == (SIZE + 1, False)


@pytest.mark.parametrize("size", [3, 9])
@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("seed", range(2))
def test_an_export_holds_the_same_rows_in_order_of_id(seed, few, size):
    source = random.Random(seed)
    fill(source)
    ids = sorted(set(Delivery.objects.values_list("group_id", flat=True)))

    for group_ids in [None] * 12 + [source.sample(ids, 3) for _n in range(8)]:
        filters = random_filters(source, group_ids)
        pages = export.pages(filters, facets().unsealed, size=size, few=few)
        assert [row[0] for page in pages for row in page] == plain(filters)[::-1], (
            filters
        )
