"""Half of the last 200 failed: the rest is held."""

from datetime import timedelta

import pytest

from notifications.delivery.retry import WINDOW, too_many_failures
from notifications.models import Delivery
from tests.factories import MOMENT, make_notification

pytestmark = pytest.mark.django_db


def ended(notification, status: str, count: int, start: int = 0) -> None:
    Delivery.objects.bulk_create(
        Delivery(
            notification=notification,
            group_id=f"g{status}{n}",
            group_name="g",
            group_type="Public",
            sender_name="lin.mei",
            status=status,
            attempt_count=1,
            error_code={"failed": 10010, "accepted": 0}.get(status),
            reason="no_answer" if status == "unconfirmed" else "",
            finished_at=MOMENT + timedelta(seconds=n),
        )
        for n in range(start, start + count)
    )


@pytest.mark.parametrize(
    ("failed", "accepted", "is_too_many"),
    [
        (199, 0, False),  # never on fewer than 200
        (200, 0, True),
        (100, 100, True),
        (99, 101, False),
    ],
)
def test_the_share(failed, accepted, is_too_many):
    notification = make_notification(status="sending")
    ended(notification, "failed", failed)
    ended(notification, "accepted", accepted)

    assert too_many_failures(notification) is is_too_many


def test_only_the_last_ones_count():
    notification = make_notification(status="sending")
    ended(notification, "failed", 150)
    ended(notification, "accepted", WINDOW, start=1000)

    assert not too_many_failures(notification)


def test_what_a_person_has_seen_and_accepted_counts_no_more():
    notification = make_notification(status="sending")
    ended(notification, "failed", 300)
    notification.watched_since = MOMENT + timedelta(seconds=101)

    assert not too_many_failures(notification)
