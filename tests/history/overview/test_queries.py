"""The sums of the Overview equal the counts of the rows."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from notifications.history.overview.queries import RESULTS, overview
from notifications.history.overview.sums import DayRange, daily_sums, last_day_ranges
from notifications.models import ChatGroup, Delivery, Tally
from notifications.tencent.outcomes import Reason
from tests.factories import (
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

CODES = [10010, 10015, 10007]
REASONS = [Reason.NO_ANSWER.value, Reason.WORKER_LOST.value]


def groups_of_each_type() -> list[ChatGroup]:
    return [
        make_group(type=kind)
        for kind in ("Public", "Private", "AVChatRoom", "ChatRoom")
    ]


def make_random_past(chance: random.Random) -> None:
    """Create sealed and unsealed notifications of three weeks with all results."""
    make_user()
    groups = groups_of_each_type()
    for _n in range(12):
        at = timezone.now() - timedelta(hours=chance.randrange(21 * 24))
        status = chance.choice(["completed", "completed", "cancelled", "sending"])
        sent = make_notification(status=status, sent_at=at)
        for group in chance.sample(groups, chance.randint(1, len(groups))):
            for portion in (1, 2):
                result = chance.choice(
                    [s.value for s in RESULTS]
                    if status != "sending"
                    else Delivery.Status.values
                )
                extra = {
                    "failed": {"error_code": chance.choice(CODES)},
                    "unconfirmed": {
                        "reason": chance.choice(REASONS),
                        "error_code": chance.choice([None, 10002]),
                    },
                }.get(result, {})
                make_delivery(
                    sent, group, portion=portion, status=result, created_at=at, **extra
                )
        if status != "sending" and chance.random() < 0.6:
            make_seal(sent)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/St_Johns"])
def test_the_sums_equal_the_rows(seed, zone):
    make_random_past(random.Random(seed))
    with timezone.override(zone):
        spans = [*last_day_ranges(16, of=7), *last_day_ranges(1, of=1)]
        expected = Counter(
            (index, row.status, row.group_type, row.error_code, row.reason)
            for row in Delivery.objects.all()
            for index, span in enumerate(spans)
            if span.first <= timezone.localdate(row.created_at) <= span.last
        )

        rows = daily_sums(spans).rows

        assert Tally.objects.exists()
        assert {
            (s.span_index, s.status, s.group_type, s.error_code, s.reason): s.count
            for s in rows
        } == expected


def test_what_was_sealed_is_counted_from_its_tallies_only():
    sealed = make_notification(status="completed")
    at = timezone.now()
    make_delivery(sealed, status="accepted", created_at=at)
    make_seal(sealed)
    # A difference that no program makes: it shows which of the two was read.
    make_delivery(sealed, status="accepted", created_at=at)

    assert overview(7).all.by_status["accepted"] == 1


def test_recalls_and_corrections_are_not_counted():
    at = timezone.now()
    sent = make_notification(status="completed", channel="group_message")
    make_delivery(sent, status="accepted", created_at=at)
    runs = [
        make_ended_amendment(sent, channel, created_at=at, status=status)
        for channel in ("recall", "correction")
        for status in ("failed", "cancelled")
    ]
    open_run = make_notification(status="sending", channel="recall", amends=sent)
    make_delivery(open_run, created_at=at)

    for _before_and_after_their_seals in range(2):
        figures = overview(7)

        assert figures.all.by_status == figures.today.by_status
        assert {s: n for s, n in figures.all.by_status.items() if n} == {"accepted": 1}
        assert figures.troubles == []
        assert figures.sending.total == 0
        assert [latest.notification for latest in figures.latest] == [sent]
        if not Tally.objects.exists():
            for run in (sent, *runs):
                make_seal(run)


def test_a_day_begins_at_midnight_of_the_time_zone():
    with timezone.override("Asia/Shanghai"):
        today = timezone.localdate()
        midnight = datetime.combine(today, datetime.min.time(), UTC) - timedelta(
            hours=8
        )
        for minutes, sealed in ((-1, False), (0, False), (-1, True), (1, True)):
            sent = make_notification(status="completed")
            at = midnight + timedelta(minutes=minutes)
            make_delivery(sent, status="accepted", created_at=at)
            if sealed:
                make_seal(sent)

        counts = overview(7).per_span

        yesterday = today - timedelta(days=1)
        assert [(c.of, c.by_status["accepted"]) for c in counts[-2:]] == [
            (DayRange(yesterday, yesterday), 2),
            (DayRange(today, today), 2),
        ]
        assert overview(90).today.by_status["accepted"] == 2
        assert [c.by_status["accepted"] for c in counts[:-2]] == [0] * 5


def test_by_type_only_what_ended_counts():
    public, private, live = groups_of_each_type()[:3]
    sent = make_notification(status="sending")
    at = timezone.now()
    for group, results in (
        (public, ["accepted", "accepted", "failed", "queued"]),
        (private, ["accepted", "cancelled"]),
        (live, ["cancelled", "queued"]),
    ):
        for portion, status in enumerate(results, start=1):
            make_delivery(sent, group, portion=portion, status=status, created_at=at)

    counts = overview(7).per_type

    assert [(c.of.value, c.ended, c.share) for c in counts] == [
        ("Private", 1, 100.0),
        ("Public", 3, 66.7),
    ]


def test_one_that_is_missing_is_never_rounded_away():
    sent = make_notification(status="completed")
    at = timezone.now()
    make_delivery(sent, status="failed", created_at=at)
    make_seal(sent)
    tally = Tally.objects.get()
    Tally.objects.create(
        notification=sent,
        sender_name=tally.sender_name,
        created_at=at,
        group_type=tally.group_type,
        status="accepted",
        error_code=0,
        count=9_999,
        first_delivery=1,
        last_delivery=2,
    )

    assert overview(7).all.share == 99.9


def test_the_reason_of_a_doubt_comes_before_the_code_of_an_earlier_attempt():
    sent = make_notification(status="completed")
    at = timezone.now()
    for code in (None, 10002):
        make_delivery(
            sent,
            status="unconfirmed",
            reason="no_answer",
            error_code=code,
            created_at=at,
        )
    make_delivery(sent, status="failed", created_at=at)

    troubles = overview(7).troubles

    assert [(t.filter, t.count, list(t.per_span)) for t in troubles] == [
        ({"status": "unconfirmed", "reason": "no_answer"}, 2, [0, 0, 0, 0, 0, 0, 2]),
        ({"status": "failed", "code": "10010"}, 1, [0, 0, 0, 0, 0, 0, 1]),
    ]


def test_few_queries_whatever_there_is(django_assert_max_num_queries):
    make_random_past(random.Random(1))

    with django_assert_max_num_queries(4):
        overview(90)


def test_spans_end_with_today_and_the_first_may_be_shorter():
    today = timezone.localdate()
    ago = [today - timedelta(days=back) for back in range(10)]

    assert last_day_ranges(2, of=1) == [
        DayRange(ago[1], ago[1]),
        DayRange(today, today),
    ]
    assert last_day_ranges(10, of=7) == [
        DayRange(ago[9], ago[7]),
        DayRange(ago[6], today),
    ]
    assert len(last_day_ranges(90, of=7)) == 13
