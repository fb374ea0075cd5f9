"""The number of calls left today."""

from datetime import UTC, datetime

import pytest

from notifications.compose.warnings import Quota, quota_today
from tests.factories import (
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_notification,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_without_a_quota_nothing_is_counted(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert quota_today(NOW) is None


def test_what_was_made_since_midnight_counts(settings):
    settings.IM_DAILY_QUOTA = 3
    settings.TIME_ZONE = "Asia/Shanghai"  # midnight there is 16:00 UTC
    for hour, outcome in [
        (15, "accepted"),  # yesterday
        (16, "accepted"),
        (17, "worker_lost"),
        (18, "not_sent"),
    ]:
        at = datetime(2026, 3, 1, hour, tzinfo=UTC)
        make_attempt(started_at=at, finished_at=at, outcome=outcome)

    quota = quota_today(NOW)

    assert quota == Quota(limit=3, used=2)
    assert quota.left == 1


def test_recalls_and_corrections_do_not_count(settings):
    settings.IM_DAILY_QUOTA = 3
    sent = make_notification(status="completed", channel="group_message")
    message = make_delivery(sent, status="accepted", msg_seq=418)
    make_attempt(message, started_at=NOW, finished_at=NOW)
    for channel in ("recall", "correction"):
        row = make_ended_amendment(sent, channel).deliveries.get()
        make_attempt(row, started_at=NOW, finished_at=NOW)

    assert quota_today(NOW) == Quota(limit=3, used=1)


def test_more_than_allowed_leaves_nothing():
    assert Quota(limit=3, used=5).left == 0
