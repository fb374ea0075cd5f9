"""The statements of a tick have the effect of the ORM queries that they replace.

Each test runs both on equal rows, and compares the rows afterwards.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from notifications import statements
from notifications.db.prepared import moment
from notifications.delivery import claim
from notifications.delivery.claim import _DUE_COLUMNS, _DueRow
from notifications.models import (
    Attempt,
    Delivery,
    Notification,
    Pace,
    SendingSwitch,
)
from tests.factories import make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db

S = Delivery.Status
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture(params=["fast", "watched"])
def _both_ways(request: pytest.FixtureRequest) -> Any:
    """Through the driver, and through Django's cursor when a wrapper watches."""
    if request.param == "fast":
        yield
        return
    with connection.execute_wrapper(lambda execute, *arguments: execute(*arguments)):
        yield


pytestmark = [pytestmark, pytest.mark.usefixtures("_both_ways")]


def make_rows(**kwargs: Any) -> list[Delivery]:
    """Three deliveries of a running group message."""
    notification = make_notification(status="sending", channel="group_message")
    return [make_delivery(notification, make_group(), **kwargs) for _n in range(3)]


def columns(rows: list[Delivery]) -> list[dict[str, Any]]:
    """All columns but the keys."""
    keys = {"id", "notification_id", "group_id", "group_name", "random"}
    return [
        {name: value for name, value in row.items() if name not in keys}
        for row in Delivery.objects.filter(pk__in=[row.pk for row in rows])
        .order_by("pk")
        .values()
    ]


def same_effect(
    make: Callable[[], list[Delivery]],
    statement: Callable[[list[Delivery]], Any],
    query: Callable[[list[Delivery]], Any],
) -> None:
    first, second = make(), make()
    statement(first)
    query(second)
    assert columns(first) == columns(second)


def owned(worker: int = 7) -> list[Delivery]:
    return make_rows(
        status="sending", owner=worker, claimed_at=NOW, attempt_count=1, created_at=NOW
    )


def test_mark():
    def query(rows: list[Delivery]) -> None:
        for row, msg_seq in zip(rows, (None, 4, None), strict=True):
            changes = {"msg_seq": msg_seq} if msg_seq else {}
            Delivery.objects.filter(pk=row.pk, status=S.QUEUED).update(
                status=S.SENDING,
                owner=7,
                claimed_at=NOW,
                attempt_count=F("attempt_count") + 1,
                random=row.pk + 1000,
                **changes,
            )

    def statement(rows: list[Delivery]) -> None:
        values = [
            (row.pk, row.pk + 1000, msg_seq)
            for row, msg_seq in zip(rows, (None, 4, None), strict=True)
        ]
        assert statements.mark(values, 7, NOW) == 3
        assert statements.mark(values, 8, NOW) == 0

    same_effect(lambda: make_rows(created_at=NOW, not_before=NOW), statement, query)


def test_a_number_of_a_message_is_not_drawn_again():
    row = make_rows()[0]
    Delivery.objects.filter(pk=row.pk).update(random=99)

    statements.mark([(row.pk, None, None)], 7, NOW)

    row.refresh_from_db()
    assert (row.random, row.status) == (99, "sending")


def test_a_number_that_is_used_is_an_integrity_error():
    rows = make_rows()
    Delivery.objects.filter(pk=rows[0].pk).update(random=99)

    assert statements.used_numbers([98, 99]) == {99}
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.mark([(rows[1].pk, 99, None)], 7, NOW)


def test_accept():
    def query(rows: list[Delivery]) -> None:
        for row, msg_seq in zip(rows, (4, 5, None), strict=True):
            changes = {"msg_seq": msg_seq, "msg_time": 1_796_043_300} if msg_seq else {}
            Delivery.objects.filter(pk=row.pk, status=S.SENDING, owner=7).update(
                status=S.ACCEPTED,
                error_code=0,
                error_info="",
                reason="",
                drop_reason="",
                owner=None,
                finished_at=NOW,
                **changes,
            )

    def statement(rows: list[Delivery]) -> None:
        values = [
            (row.pk, msg_seq, 1_796_043_300 if msg_seq else None)
            for row, msg_seq in zip(rows, (4, 5, None), strict=True)
        ]
        statements.accept(values, 8, NOW)  # of another worker
        assert {row["status"] for row in columns(rows)} == {"sending"}
        statements.accept(values, 7, NOW)

    same_effect(lambda: owned_with(not_before=NOW), statement, query)


def owned_with(**kwargs: Any) -> list[Delivery]:
    rows = owned()
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**kwargs)
    return rows


def test_due():
    rows = make_rows(not_before=NOW)
    Delivery.objects.filter(pk=rows[0].pk).update(not_before=NOW + HOUR)
    Delivery.objects.filter(pk=rows[1].pk).update(not_before=NOW + timedelta(seconds=1))
    number = rows[0].notification_id
    until = NOW + timedelta(minutes=1)

    with transaction.atomic():
        for limit in (1, 5):
            query = (
                Delivery.objects.filter(
                    notification_id=number, status=S.QUEUED, not_before__lte=until
                )
                .order_by("not_before", "id")
                .select_for_update(skip_locked=True)
                .values_list(*_DueRow._fields)[:limit]
            )
            due = statements.due(number, limit, until, _DUE_COLUMNS)
            assert due == list(query)
    assert [row[0] for row in due] == [rows[2].pk, rows[1].pk]


def test_running():
    make_notification(status="paused", paused_reason="person")
    first = make_notification(status="sending")
    over = make_notification(status="sending", not_after=NOW)
    sent = make_notification(status="completed", channel="group_message")
    last = make_notification(
        status="sending", channel="recall", amends=sent, not_after=NOW + HOUR
    )
    switch = SendingSwitch.objects.create(pk=1, is_off=False)
    for is_off, now, expected in (
        (False, NOW - HOUR, [first.pk, over.pk, last.pk]),
        (False, NOW, [first.pk, last.pk]),
        (True, NOW, [last.pk]),
    ):
        switch.is_off = is_off
        switch.save()
        rows = claim.running(now)
        assert [row.pk for row in rows] == expected
        query = claim.running_notifications(now).order_by("id")
        assert rows == list(query.values_list(*claim.Running._fields))


def test_lock_notifications_and_owned_rows():
    rows, others = owned(), owned(worker=8)
    ids = [row.pk for row in (*rows, *others)]
    numbers = [others[0].notification_id, rows[0].notification_id]

    with transaction.atomic():
        locked = statements.lock_notifications(numbers)
        query = Notification.objects.filter(pk__in=numbers).order_by("pk")
        names = ("id", "channel", "status", "doubt_streak")
        assert locked == list(query.select_for_update().values_list(*names))
        assert statements.lock_owned(ids, 7) == {row.pk for row in rows}
        assert statements.lock_owned([], 7) == set()


def test_insert_attempts():
    rows = owned()
    values: list[dict[str, Any]] = [
        {
            "delivery_id": rows[0].pk,
            "number": 1,
            "worker": 7,
            "started_at": NOW,
            "finished_at": NOW,
            "outcome": "accepted",
            "reason": "",
            "detail": "“detail” 详情",
            "http_status": 200,
            "action_status": "OK",
            "error_code": 0,
            "error_info": "",
            "msg_seq": 2**32 - 1,
            "msg_time": 1_796_043_300,
            "drop_reason": "",
        },
        {
            "delivery_id": rows[1].pk,
            "number": 1,
            "worker": 7,
            "started_at": NOW,
            "finished_at": NOW + timedelta(microseconds=1),
            "outcome": "unconfirmed",
            "reason": "no_answer",
            "detail": "",
            "http_status": None,
            "action_status": "",
            "error_code": None,
            "error_info": "",
            "msg_seq": None,
            "msg_time": None,
            "drop_reason": "",
        },
    ]
    assert [list(one) for one in values] == [list(statements.ATTEMPT)] * 2
    statements.insert_attempts(
        [
            [
                moment(value) if name.endswith("_at") else value
                for name, value in one.items()
            ]
            for one in values
        ]
    )
    inserted = list(Attempt.objects.order_by("pk").values(*statements.ATTEMPT))
    Attempt.objects.bulk_create(Attempt(**one | {"number": 2}) for one in values)
    query = Attempt.objects.filter(number=2).order_by("pk").values(*statements.ATTEMPT)

    assert inserted == values
    assert inserted == [one | {"number": 1} for one in query]


def test_every_column_of_an_attempt_is_written():
    names = [field.attname for field in Attempt._meta.concrete_fields]
    assert names[1:] == list(statements.ATTEMPT)


def test_the_pace():
    assert (statements.lock_pace("app:call"), statements.next_slot("app:call")) == (
        None,
        None,
    )
    pace = Pace.objects.create(name="app:call", boot_id="x", next_slot=1.25)
    pace.next_slot, pace.claimed, pace.slow_until = 12345678.123456, 2**40, 5.5

    statements.save_pace(
        pace.pk, pace.boot_id, pace.next_slot, pace.slow_until, pace.claimed
    )

    with transaction.atomic():
        row = statements.lock_pace("app:call")
    (stored,) = Pace.objects.filter(pk=pace.pk).values_list()
    assert row == stored
    assert Pace(*row).next_slot == pace.next_slot == statements.next_slot("app:call")
