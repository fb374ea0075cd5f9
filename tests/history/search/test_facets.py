"""The choices of the filters."""

import pytest

from notifications.history.search.facets import Facets, UnsealedNotification, facets
from tests.factories import (
    MOMENT,
    make_delivery,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_nothing_occurs_in_an_empty_history():
    make_delivery(make_notification(status="draft"))

    assert facets() == Facets([], [], [])


def test_senders_and_codes_of_sealed_and_other_notifications(django_assert_num_queries):
    person = make_user(first_name="Lin", last_name="Mei")
    sealed = make_notification(sender=person, status="completed")
    for code in (10007, 10010, 10007):
        make_delivery(sealed, status="failed", error_code=code)
    make_delivery(sealed, status="accepted")
    make_delivery(sealed, status="unconfirmed")
    make_seal(sealed)
    ended = make_notification(
        sender=person, status="cancelled", sender_name="left.long.ago"
    )
    make_delivery(ended, status="failed", error_code=80002)
    running = make_notification(
        sender=make_user(username="j.okafor"), status="sending", channel="group_message"
    )
    make_delivery(running, error_code=60008)  # waits for another attempt
    make_delivery(running, status="failed", error_code=10007)

    with django_assert_num_queries(1):
        values = facets()

    assert values.unsealed == [
        UnsealedNotification(ended.pk, "left.long.ago", "system_notification", MOMENT),
        UnsealedNotification(running.pk, "j.okafor", "group_message", MOMENT),
    ]
    assert values.senders == [
        ("j.okafor", ""),
        ("left.long.ago", ""),
        ("lin.mei", "Lin Mei"),
    ]
    assert values.codes == [10007, 10010, 60008, 80002]
