"""Deliveries are counted by result and group type."""

import pytest

from notifications.models import Delivery
from notifications.record.result_counts import count_results
from tests.factories import MOMENT, make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db


def test_deliveries_of_one_type_and_result_are_one_count():
    first = make_notification(status="completed")
    second = make_notification(status="completed")
    room = make_group(type="AVChatRoom")
    rows = [
        make_delivery(first, status=Delivery.Status.ACCEPTED),
        make_delivery(first, status=Delivery.Status.FAILED),
        make_delivery(first, room, status=Delivery.Status.ACCEPTED),
        make_delivery(first, status=Delivery.Status.ACCEPTED),
        make_delivery(first, status=Delivery.Status.UNCONFIRMED),
        make_delivery(second, status=Delivery.Status.ACCEPTED),
    ]
    make_delivery(make_notification(status="completed"), status="accepted")

    counts = count_results([first.pk, second.pk])

    keys = [row.pk for row in rows]
    assert [
        (t.notification_id, t.status, t.group_type, t.error_code, t.reason, t.count)
        for t in counts
    ] == [
        (second.pk, "accepted", "Public", 0, "", 1),
        (first.pk, "unconfirmed", "Public", None, "no_answer", 1),
        (first.pk, "accepted", "Public", 0, "", 2),
        (first.pk, "accepted", "AVChatRoom", 0, "", 1),
        (first.pk, "failed", "Public", 10010, "", 1),
    ]
    count = counts[2]
    assert (count.first_delivery, count.last_delivery) == (keys[0], keys[3])
    assert (count.sender_name, count.created_at) == ("lin.mei", MOMENT)


def test_two_queries_for_any_number(django_assert_num_queries):
    rows = [make_delivery(status="accepted") for _n in range(4)]

    with django_assert_num_queries(2):
        assert len(count_results([row.notification_id for row in rows])) == 4
