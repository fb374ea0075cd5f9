""" "Ask Tencent now": the service, the pages, the sentence."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from notifications import permissions
from notifications.delivery.presentation import query_sentence
from notifications.delivery.reconcile.services import OpenQueries, ask_now
from notifications.delivery.waiting import facts_of
from notifications.models import AuditEntry, Delivery
from tests.delivery.reconcile.conftest import make_message, make_unconfirmed
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def in_an_hour() -> dict:
    return {"next_query_at": timezone.now() + timedelta(hours=1)}


def is_due(delivery: Delivery) -> bool:
    delivery.refresh_from_db()
    return delivery.next_query_at <= timezone.now()


def test_all_queries_of_a_notification_become_due():
    notification = make_message()
    one = make_unconfirmed(notification=notification, **in_an_hour())
    other = make_unconfirmed("hikers", notification=notification, **in_an_hour())
    foreign = make_unconfirmed(**in_an_hour())

    assert ask_now(notification.sender, notification.pk) == 2

    assert is_due(one)
    assert is_due(other)
    assert one.query_asked_by == "lin.mei"
    assert not is_due(foreign)
    entry = AuditEntry.objects.get(action="asked")
    assert entry.detail == {"deliveries": 2}


def test_one_delivery_is_asked_about():
    notification = make_message()
    one = make_unconfirmed(notification=notification, **in_an_hour())
    other = make_unconfirmed("hikers", notification=notification, **in_an_hour())

    assert ask_now(notification.sender, notification.pk, one.pk) == 1

    assert is_due(one)
    assert not is_due(other)
    assert AuditEntry.objects.get(action="asked").delivery_number == one.pk


def test_a_second_press_changes_nothing():
    delivery = make_unconfirmed(**in_an_hour())
    notification = delivery.notification

    assert ask_now(notification.sender, notification.pk) == 1
    assert ask_now(notification.sender, notification.pk) == 0
    assert AuditEntry.objects.filter(action="asked").count() == 1


def test_tencent_has_the_time_to_store_a_message():
    delivery = make_unconfirmed(ago=5, **in_an_hour())

    assert ask_now(delivery.notification.sender, delivery.notification_id) == 0


def test_a_delivery_without_an_open_query_is_not_asked_about():
    delivery = make_unconfirmed(next_query_at=None)

    assert ask_now(delivery.notification.sender, delivery.notification_id) == 0


def test_only_the_controller_asks():
    delivery = make_unconfirmed(**in_an_hour())
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="zhao")
    auditor = make_user(permissions.AUDITOR, username="wang")

    for person in (colleague, auditor):
        with pytest.raises(PermissionDenied):
            ask_now(person, delivery.notification_id)
    assert not is_due(delivery)


def test_the_pages_offer_it(client):
    delivery = make_unconfirmed(**in_an_hour())
    client.force_login(delivery.notification.sender)
    progress = f"/sent/{delivery.notification_id}/"
    page = f"/history/deliveries/{delivery.pk}/"

    for address in (progress, page):
        assert f'action="{address}ask/"' in client.get(address).content.decode()
    response = client.post(f"{page}ask/", follow=True)

    assert "within a few seconds" in response.content.decode()
    assert is_due(delivery)
    for address in (progress, page):
        assert "/ask/" not in client.get(address).content.decode()
    response = client.post(f"{progress}ask/", follow=True)
    assert "There is nothing to ask now" in response.content.decode()


def test_the_page_tells_when_tencent_is_asked(client):
    delivery = make_unconfirmed(
        ago=1, next_query_at=timezone.now() + timedelta(seconds=40)
    )
    client.force_login(delivery.notification.sender)
    address = f"/sent/{delivery.notification_id}/"

    page = client.get(address).content.decode()
    assert "1 not confirmed; Tencent is asked as soon as a worker is running." in page
    assert "data-url=" in page
    response = client.get(f"{address}status/")
    assert "X-Done" not in response

    Delivery.objects.filter(pk=delivery.pk).update(next_query_at=None)
    page = client.get(address).content.decode()
    assert "Tencent is asked as soon" not in page
    assert "data-url=" not in page
    assert client.get(f"{address}status/")["X-Done"] == "1"


def test_the_sentence():
    assert query_sentence(OpenQueries(), has_worker=True) == ""
    assert (
        query_sentence(OpenQueries(3, 40), has_worker=True)
        == "3 not confirmed; asking Tencent, about 40 seconds."
    )
    assert (
        query_sentence(OpenQueries(1, 200), has_worker=True)
        == "1 not confirmed; asking Tencent, about 4 minutes."
    )
    assert query_sentence(OpenQueries(3, 40), 5, has_worker=True) == (
        "3 not confirmed; asking Tencent, about 40 seconds. Tencent is not asked about 2 "
        "more."
    )


def test_open_queries_are_counted_with_one_query(django_assert_num_queries):
    notification = make_message()
    make_unconfirmed(notification=notification, **in_an_hour())
    make_unconfirmed("hikers", notification=notification)
    make_unconfirmed("plaza2", notification=notification, next_query_at=None)

    with django_assert_num_queries(1):
        queries = facts_of(notification, timezone.now()).queries

    assert (queries.count, queries.askable) == (2, 1)
    assert 3590 < queries.seconds_left <= 3600
