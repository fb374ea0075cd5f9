"""The pages of a list hold each row once, whatever the number of rows."""

import pytest

from notifications.models import ChatGroup
from notifications.ui.lists import COUNTED, ListPage, capped_count, queryset_page
from tests.factories import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids() -> list[int]:
    """The ids of 43 rows, newest first."""
    return sorted((make_group().pk for _n in range(43)), reverse=True)


def numbers(page: ListPage) -> list[int]:
    return [row.pk for row in page.rows]


def test_nine_pages_walked_to_the_end_and_back_are_the_list(ids):
    rows = ChatGroup.objects.all()
    there = [queryset_page(rows, size=5)]
    while there[-1].older is not None:
        there.append(queryset_page(rows, before=there[-1].older, size=5))
    back = [there[-1]]
    while back[-1].newer is not None:
        back.append(queryset_page(rows, after=back[-1].newer, size=5))

    assert [len(page.rows) for page in there] == [5] * 8 + [3]
    assert [number for page in there for number in numbers(page)] == ids
    assert [numbers(page) for page in back] == [numbers(p) for p in there[::-1]]


@pytest.mark.parametrize("place", [{"before": 0}, {"after": 2**63 - 1}])
def test_beyond_the_ends_is_the_newest_page(ids, place):
    page = queryset_page(ChatGroup.objects.all(), size=5, **place)

    assert numbers(page) == ids[:5]
    assert (page.newer, page.older) == (None, ids[4])


def test_less_than_a_page_above_is_the_newest_page(ids):
    page = queryset_page(ChatGroup.objects.all(), after=ids[2], size=5)

    assert numbers(page) == ids[:5]


def test_an_empty_list():
    assert queryset_page(ChatGroup.objects.all(), before=3) == ListPage([])


def test_a_full_last_page_has_nothing_older(ids):
    assert queryset_page(ChatGroup.objects.all(), size=43).older is None


def test_counting_ends_at_ten_thousand():
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name="g", type="Public") for n in range(COUNTED + 5)
    )

    assert capped_count(ChatGroup.objects.all()) == COUNTED + 1
    assert capped_count(ChatGroup.objects.filter(group_id="g7")) == 1
