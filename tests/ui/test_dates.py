"""``in_period`` returns the same rows as a plain condition on the time."""

import random
from datetime import date, timedelta

import pytest

from notifications.models import AuditEntry
from notifications.ui.dates import SLACK, in_period, start_of
from tests.factories import MOMENT

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_the_same_rows_as_by_time_alone_where_the_order_is_nearly_that_of_the_ids():
    chance = random.Random(4)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            action="sent",
            actor="lin.mei",
            at=MOMENT + timedelta(hours=2 * n) + chance.random() * SLACK / 2,
        )
        for n in range(60)
    )
    rows = AuditEntry.objects.order_by("id")
    days = [date(2026, 3, day) for day in range(1, 10)]
    for since in [None, *days]:
        for until in [None, *days]:
            expected = rows.all()
            if since:
                expected = expected.filter(at__gte=start_of(since))
            if until:
                expected = expected.filter(at__lt=start_of(until + timedelta(days=1)))
            assert list(in_period(rows, "at", since, until)) == list(expected)


def test_days_are_those_of_the_present_zone(settings):
    settings.TIME_ZONE = "Asia/Shanghai"

    assert start_of(date(2026, 3, 2)).isoformat() == "2026-03-02T00:00:00+08:00"
