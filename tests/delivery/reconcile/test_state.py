"""Queries about recalls and corrections: the state of the message, in its place."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.delivery.channels.base import State
from notifications.delivery.reconcile.history import Searched, judge_state
from notifications.models import Channel, Delivery
from notifications.sandbox.messages import State as Stored
from notifications.tencent.calls.group_msg_get_simple import (
    HistoryMessage,
    HistoryPage,
    Place,
)
from tests.delivery.reconcile.conftest import (
    make_unconfirmed,
    store,
)
from tests.delivery.reconcile.test_history import message, page, text
from tests.factories import (
    make_amending,
    make_amendment,
    make_attempt,
    make_delivery,
)

pytestmark = pytest.mark.django_db

NEW = "Maintenance tonight from 23:30."


@pytest.fixture
def amended(tencent) -> Delivery:
    """A message that the sandbox has with the number 2, after another one."""
    store(tencent, make_unconfirmed(next_query_at=None))
    delivery = make_unconfirmed(
        status="accepted", error_code=0, msg_seq=2, next_query_at=None
    )
    store(tencent, delivery)
    return delivery


def make_query_due(
    amended: Delivery,
    channel: str = Channel.RECALL,
    *,
    ago: timedelta = timedelta(seconds=40),
    content: str = NEW,
    **kwargs: object,
) -> Delivery:
    """A recall or a correction without an answer, due for its first query."""
    run = make_amendment(
        amended.notification, channel=channel, status="completed", content=content
    )
    now = timezone.now()
    ended_at = now - ago
    values = {
        "status": "unconfirmed",
        "finished_at": ended_at,
        "next_query_at": now - timedelta(milliseconds=10),
    }
    row = make_amending(run, amended, **values | kwargs)
    make_attempt(row, outcome="unconfirmed", started_at=ended_at, finished_at=ended_at)
    return row


def result(row: Delivery) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.reason


def test_one_page_with_the_place_of_the_message(tencent, reconcile, amended):
    row = make_query_due(amended)
    tencent.store.recall("plaza", 2)

    reconcile()

    assert result(row) == ("accepted", "in_history")
    assert (row.error_code, row.next_query_at, row.msg_seq) == (None, None, 2)
    query = row.queries.get()
    assert (query.kind, query.verdict, query.detail) == ("state", "present", "")
    assert json.loads(query.request) == [
        {"GroupId": "plaza", "ReqMsgNumber": 1, "ReqMsgSeq": 2, "WithRecalledMsg": 1}
    ]
    [answer] = json.loads(query.response)
    [place] = answer["RspMsgList"]
    assert (place["MsgSeq"], place["IsPlaceMsg"]) == (2, 2)


@pytest.mark.parametrize("code", [10030, 10032])
def test_a_message_that_was_taken_back_before(tencent, reconcile, amended, code):
    row = make_query_due(amended, reason="uncertain_code", error_code=code)
    tencent.store.recall("plaza", 2)

    reconcile()

    assert result(row) == ("accepted", "recalled_before")
    assert row.queries.get().detail == "The message had been taken back."


@pytest.mark.parametrize("channel", [Channel.RECALL, Channel.CORRECTION])
def test_two_answers_with_the_former_message_fail_it(
    tencent, reconcile, settings, amended, channel
):
    settings.IM_QUERY_AGAIN_AFTER_SECONDS = 0.2
    row = make_query_due(amended, channel)

    reconcile()
    assert result(row)[0] == "unconfirmed"
    while row.status == "unconfirmed":
        reconcile()
        row.refresh_from_db()

    assert result(row) == ("failed", "still_there")
    first, second = row.queries.all()
    assert (first.verdict, second.verdict) == ("absent", "absent")
    assert second.started_at - first.finished_at >= timedelta(seconds=0.2)


@pytest.mark.parametrize("channel", [Channel.RECALL, Channel.CORRECTION])
def test_a_message_that_is_gone(tencent, reconcile, amended, channel):
    row = make_query_due(amended, channel)
    tencent.store.get("plaza", 2).state = Stored.GONE

    reconcile()

    assert result(row) == ("failed", "gone")
    assert "no message of this number" in row.queries.get().detail


def test_a_corrected_text_is_accepted(tencent, reconcile, amended):
    row = make_query_due(amended, Channel.CORRECTION)
    tencent.store.correct("plaza", 2, [text(NEW)], None)

    reconcile()

    assert result(row) == ("accepted", "in_history")
    assert not row.is_altered


def test_a_correction_of_a_message_that_was_taken_back(tencent, reconcile, amended):
    row = make_query_due(amended, Channel.CORRECTION)
    tencent.store.recall("plaza", 2)

    reconcile()

    assert result(row) == ("failed", "taken_back")
    assert row.queries.get().detail == "The message had been taken back."


def test_a_third_text_is_no_verdict(tencent, reconcile, amended):
    row = make_query_due(amended, Channel.CORRECTION)
    tencent.store.correct("plaza", 2, [text("of an application")], None)

    reconcile()

    assert result(row) == ("unconfirmed", "no_answer")
    assert row.queries.get().verdict == "unclear"
    assert row.next_query_at is not None


def test_the_text_of_an_earlier_correction_is_a_former_one(tencent, reconcile, amended):
    first = make_query_due(amended, Channel.CORRECTION)
    tencent.store.correct("plaza", 2, [text(NEW)], None)
    reconcile()
    second = make_query_due(amended, Channel.CORRECTION, content="Tomorrow.")

    reconcile()

    assert result(first)[0] == "accepted"
    assert second.queries.get().verdict == "absent"


@pytest.mark.parametrize("channel", [Channel.RECALL, Channel.CORRECTION])
@pytest.mark.parametrize("differs", ["random", "account"])
def test_another_message_at_that_number_is_unclear(
    tencent, reconcile, amended, channel, differs
):
    stored = tencent.store.get("plaza", 2)
    stored.body = [text("secret of a member")]
    if differs == "account":
        stored.from_account = "anna"
        row = make_query_due(amended, channel)
    else:
        another = make_delivery(amended.notification, attempt_count=1)
        row = make_query_due(amended, channel, amended_delivery=another.pk)

    reconcile()

    assert result(row)[0] == "unconfirmed"
    query = row.queries.get()
    assert query.verdict == "unclear"
    assert "secret" not in query.response
    assert "anna" not in query.response


def test_without_the_amended_row_the_sender_is_compared(tencent, reconcile, amended):
    row = make_query_due(amended, amended_delivery=amended.pk + 1000)  # archived
    tencent.store.recall("plaza", 2)

    reconcile()

    assert result(row) == ("accepted", "in_history")


def test_a_live_room_is_not_queried(tencent, reconcile):
    live = make_unconfirmed(
        "live", status="accepted", error_code=0, msg_seq=1, next_query_at=None
    )
    row = make_query_due(live)

    reconcile()

    assert result(row)[0] == "unconfirmed"
    assert row.next_query_at is None
    assert not row.queries.exists()


@pytest.mark.parametrize(("days", "is_open"), [(7, False), (30, True)])
def test_the_days_of_the_history_are_a_setting(
    tencent, reconcile, settings, amended, days, is_open
):
    settings.IM_HISTORY_DAYS = days
    row = make_query_due(amended, ago=timedelta(days=8))

    reconcile()

    assert row.queries.exists() is is_open


def test_the_query_of_a_send_shows_a_message_that_was_taken_back(tencent, reconcile):
    delivery = make_unconfirmed()
    store(tencent, delivery)
    tencent.store.recall("plaza", 1)

    reconcile()

    assert result(delivery) == ("accepted", "in_history")
    assert delivery.queries.get().detail == "The message had been taken back."


# --- the verdict of a page ----------------------------------------------------------------


SEARCHED = Searched(7, "administrator", 0.0, msg_seq=5)


def ours(**changes: object) -> HistoryMessage:
    values = {"random": 7, "from_account": "administrator"} | changes
    return message(5, **values)


def judged(*messages: HistoryMessage, state: State = State.AS_BEFORE) -> str:
    finding = judge_state(SEARCHED, page(*messages), lambda _message: state)
    return f"{finding.verdict} {finding.reason or ''}".strip()


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (State.CHANGED, "present in_history"),
        (State.CHANGED_BEFORE, "present recalled_before"),
        (State.TAKEN_BACK, "absent taken_back"),
        (State.AS_BEFORE, "absent"),
        (State.OTHER, "unclear"),
    ],
)
def test_the_verdict_of_a_state(state, verdict):
    assert judged(ours(), state=state) == verdict


@pytest.mark.parametrize(
    ("messages", "verdict"),
    [
        ([ours(place=Place.GONE, random=None, from_account="")], "absent gone"),
        ([], "unclear"),
        ([message(4, place=Place.GONE)], "unclear"),
        ([ours(), ours()], "unclear"),
        ([ours(random=8)], "unclear"),
        ([ours(from_account="anna")], "unclear"),
        ([message(4, random=7, from_account="administrator")], "unclear"),
    ],
)
def test_the_verdict_of_a_place(messages, verdict):
    assert judged(*messages, state=State.CHANGED) == verdict


def test_a_message_that_has_expired_is_gone():
    page = HistoryPage((), is_finished=False, has_expired=True)

    finding = judge_state(SEARCHED, page, lambda _message: State.CHANGED)

    assert (finding.verdict, finding.reason) == ("absent", "gone")
