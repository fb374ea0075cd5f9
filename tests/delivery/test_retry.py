"""The retry rules and the circuit breaker."""

from dataclasses import replace
from datetime import timedelta

import pytest

from notifications.delivery.channels import CHANNELS
from notifications.delivery.retry import (
    MAX_BACKOFF,
    MAX_NOT_SENT,
    MAX_REJECTIONS,
    WINDOW,
    AttemptHistory,
    Decision,
    RetryDecision,
    decide,
    too_many_failures,
)
from notifications.models import Channel, Delivery
from notifications.tencent.error_codes import all_codes
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from tests.factories import MOMENT, make_notification

pytestmark = pytest.mark.one_database


def rejected(code: int) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, http_status=200, error_code=code)


def retry_with_new_signature(code: int) -> Outcome:
    return replace(rejected(code), retry_with_new_signature=True)


def decided(
    outcome: Outcome,
    history: AttemptHistory | None = None,
    *,
    channel: str = Channel.SYSTEM_NOTIFICATION,
    retry_10002: bool = True,
) -> RetryDecision:
    return decide(
        outcome,
        history or AttemptHistory(),
        CHANNELS[channel],
        jitter=0.0,
        retry_internal_error=retry_10002,
    )


ACCEPTED = Outcome(OutcomeKind.ACCEPTED, http_status=200, error_code=0)
NOT_SENT = Outcome(OutcomeKind.NOT_SENT, reason=Reason.REFUSED)
UNCONFIRMED = Outcome(OutcomeKind.UNCONFIRMED, reason=Reason.NO_ANSWER)


@pytest.mark.parametrize(
    ("outcome", "history", "expected"),
    [
        (ACCEPTED, AttemptHistory(), RetryDecision(Decision.ACCEPT)),
        (
            UNCONFIRMED,
            AttemptHistory(),
            RetryDecision(Decision.LEAVE_UNCONFIRMED, reason=Reason.NO_ANSWER),
        ),
        # not sent: retried with backoff, the fourth in a row pauses
        (NOT_SENT, AttemptHistory(), RetryDecision(Decision.RETRY, 1)),
        (
            NOT_SENT,
            AttemptHistory(not_sent_streak=2),
            RetryDecision(Decision.RETRY, 4),
        ),
        (
            NOT_SENT,
            AttemptHistory(not_sent_streak=3),
            RetryDecision(Decision.REQUEUE_AND_PAUSE, 8),
        ),
        # about one group: final
        (rejected(10007), AttemptHistory(), RetryDecision(Decision.FAIL)),
        (rejected(10010), AttemptHistory(), RetryDecision(Decision.FAIL)),
        (rejected(10015), AttemptHistory(), RetryDecision(Decision.FAIL)),
        # retry list: 2, 4, 8 s, then failed
        (rejected(10002), AttemptHistory(), RetryDecision(Decision.RETRY, 2)),
        (
            rejected(10002),
            AttemptHistory(rejections=2),
            RetryDecision(Decision.RETRY, 8),
        ),
        (rejected(10002), AttemptHistory(rejections=3), RetryDecision(Decision.FAIL)),
        (
            rejected(60007),
            AttemptHistory(),
            RetryDecision(Decision.RETRY, 2, slow_down=True),
        ),
        (
            rejected(60007),
            AttemptHistory(rejections=3),
            RetryDecision(Decision.FAIL, slow_down=True),
        ),
        # uncertain, and not 10002: never retried automatically
        (rejected(60008), AttemptHistory(), RetryDecision(Decision.FAIL)),
        # signatures: the next one is tried at once, then with backoff, then paused
        (
            retry_with_new_signature(70009),
            AttemptHistory(),
            RetryDecision(Decision.RETRY),
        ),
        (
            retry_with_new_signature(70001),
            AttemptHistory(last_code=60007),
            RetryDecision(Decision.RETRY),
        ),
        (
            retry_with_new_signature(70001),
            AttemptHistory(last_code=70009),
            RetryDecision(Decision.RETRY, 2),
        ),
        (
            retry_with_new_signature(70009),
            AttemptHistory(rejections=3, last_code=70009),
            RetryDecision(Decision.REQUEUE_AND_PAUSE),
        ),
        (rejected(70003), AttemptHistory(), RetryDecision(Decision.REQUEUE_AND_PAUSE)),
        (rejected(70009), AttemptHistory(), RetryDecision(Decision.REQUEUE_AND_PAUSE)),
        (rejected(60020), AttemptHistory(), RetryDecision(Decision.REQUEUE_AND_PAUSE)),
        (rejected(70050), AttemptHistory(), RetryDecision(Decision.REQUEUE_AND_PAUSE)),
        # the text: all groups would fail
        (rejected(80001), AttemptHistory(), RetryDecision(Decision.FAIL_AND_PAUSE)),
        (rejected(10005), AttemptHistory(), RetryDecision(Decision.FAIL_AND_PAUSE)),
        # a code in no list
        (rejected(123456), AttemptHistory(), RetryDecision(Decision.FAIL)),
    ],
)
def test_decide(outcome, history, expected):
    assert decided(outcome, history) == expected


def test_10002_is_final_where_the_setting_says_so():
    assert decided(rejected(10002), retry_10002=False) == RetryDecision(Decision.FAIL)


def test_a_rejection_without_a_code_is_a_defect():
    with pytest.raises(ValueError, match="no ErrorCode"):
        decided(Outcome(OutcomeKind.REJECTED))


@pytest.mark.parametrize("info", all_codes(), ids=lambda info: str(info.code))
def test_every_code_comes_to_an_end(info):
    """For any repeated code there are at most four calls.

    One more where a signature is refused, because another one is tried at once.
    """
    outcome = (retry_with_new_signature if info.refuses_user_sig else rejected)(
        info.code
    )
    history, calls = AttemptHistory(), 0
    while True:
        calls += 1
        decision = decided(outcome, history)
        if decision.step is not Decision.RETRY:
            break
        history = AttemptHistory(
            rejections=history.rejections + (decision.delay > 0), last_code=info.code
        )

    assert calls <= MAX_REJECTIONS + info.refuses_user_sig


@pytest.mark.parametrize(
    "info", [i for i in all_codes() if not i.certain], ids=lambda info: str(info.code)
)
def test_a_code_that_may_have_been_shown_is_not_repeated(info):
    is_exception = info.code == 10002

    assert (decided(rejected(info.code)).step is Decision.RETRY) == is_exception


def test_the_longest_backoff_is_that_of_some_decision():
    outcomes = [NOT_SENT, rejected(0)]
    for info in all_codes():
        outcomes += [rejected(info.code), retry_with_new_signature(info.code)]
    delays = [
        decide(outcome, history, channel, jitter=1, retry_internal_error=True).delay
        for channel in CHANNELS.values()
        for outcome in outcomes
        for history in [
            AttemptHistory(rejections, streak, last_code)
            for rejections in range(MAX_REJECTIONS)
            for streak in range(MAX_NOT_SENT)
            for last_code in (None, 70009)
        ]
    ]

    assert max(delays) == MAX_BACKOFF


def make_ended(notification, status: str, count: int, start: int = 0) -> None:
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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failed", "accepted", "is_too_many"),
    [
        (199, 0, False),  # never on fewer than 200
        (200, 0, True),
        (100, 100, True),
        (99, 101, False),
    ],
)
def test_too_many_failures(failed, accepted, is_too_many):
    notification = make_notification(status="sending")
    make_ended(notification, "failed", failed)
    make_ended(notification, "accepted", accepted)

    assert too_many_failures(notification) is is_too_many


@pytest.mark.django_db
def test_only_the_last_failures_count():
    notification = make_notification(status="sending")
    make_ended(notification, "failed", 150)
    make_ended(notification, "accepted", WINDOW, start=1000)

    assert not too_many_failures(notification)


@pytest.mark.django_db
def test_failures_before_the_last_resume_do_not_count():
    notification = make_notification(status="sending")
    make_ended(notification, "failed", 300)
    notification.watched_since = MOMENT + timedelta(seconds=101)

    assert not too_many_failures(notification)


MESSAGE = Channel.GROUP_MESSAGE


@pytest.mark.parametrize(
    ("code", "notice", "message"),
    [
        # about this call of the account, or about one group
        (10007, Decision.FAIL, Decision.REQUEUE_AND_PAUSE),
        (10004, Decision.FAIL, Decision.FAIL_AND_PAUSE),
        (10016, Decision.FAIL, Decision.FAIL),
        (80001, Decision.FAIL_AND_PAUSE, Decision.FAIL_AND_PAUSE),
        # the message may be in the group: Tencent can be asked about it
        (10002, Decision.RETRY, Decision.LEAVE_UNCONFIRMED),
        (60008, Decision.FAIL, Decision.LEAVE_UNCONFIRMED),
        (70500, Decision.FAIL, Decision.LEAVE_UNCONFIRMED),
        (123456, Decision.FAIL, Decision.LEAVE_UNCONFIRMED),
    ],
)
def test_a_code_may_be_about_more_than_one_group(code, notice, message):
    assert decided(rejected(code)).step is notice
    assert decided(rejected(code), channel=MESSAGE).step is message


def test_every_code_that_proves_nothing_leaves_a_message_unconfirmed():
    for info in all_codes():
        decision = decided(rejected(info.code), channel=MESSAGE)
        is_open = decision.step is Decision.LEAVE_UNCONFIRMED
        assert is_open is not info.certain, info.code
        assert (decision.reason is Reason.UNCERTAIN_CODE) is is_open


@pytest.mark.parametrize(
    ("rejections", "expected"),
    [
        (0, RetryDecision(Decision.RETRY, 2, reason=Reason.DROPPED)),
        (2, RetryDecision(Decision.RETRY, 8, reason=Reason.DROPPED)),
        (3, RetryDecision(Decision.FAIL, reason=Reason.DROPPED)),
    ],
)
def test_a_dropped_message_is_sent_again_later(rejections, expected):
    history = AttemptHistory(rejections=rejections, last_code=0)

    assert decided(rejected(0), history, channel=MESSAGE) == expected


def test_a_new_signature_after_a_dropped_message_is_tried_at_once():
    history = AttemptHistory(rejections=1, last_code=0)
    decision = decided(retry_with_new_signature(70001), history, channel=MESSAGE)

    assert decision == RetryDecision(Decision.RETRY, 0.0)
