"""The reconciler against the sandbox: what becomes of unconfirmed group messages."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.audit.settings_changes import record_settings
from notifications.models import Delivery, DeliveryQuery
from notifications.record.sealing import sealable
from notifications.tencent.client import ImClient
from tests.delivery.reconcile.conftest import make_message, make_unconfirmed, store

pytestmark = pytest.mark.django_db


def queries(delivery: Delivery) -> list[tuple[int, str]]:
    return list(delivery.queries.values_list("number", "verdict"))


def test_a_message_in_the_history_is_accepted(tencent, reconcile):
    delivery = make_unconfirmed()
    store(tencent, delivery)

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("accepted", "in_history")
    assert (delivery.error_code, delivery.msg_seq) == (None, 1)
    assert delivery.next_query_at is None
    assert not delivery.is_altered
    query = delivery.queries.get()
    assert (query.number, query.kind, query.verdict) == (1, "history", "present")
    assert json.loads(query.request) == [
        {"GroupId": "plaza", "ReqMsgNumber": 20, "WithRecalledMsg": 1}
    ]
    [answer] = json.loads(query.response)
    [row] = answer["RspMsgList"]
    assert (row["MsgRandom"], row["MsgSeq"]) == (delivery.random, 1)
    assert answer["IsFinished"] == 1


def test_two_absences_a_minute_apart_fail_it(tencent, reconcile, settings):
    settings.IM_QUERY_AGAIN_AFTER_SECONDS = 0.2
    delivery = make_unconfirmed()

    reconcile()

    delivery.refresh_from_db()
    assert delivery.status == "unconfirmed"
    assert queries(delivery) == [(1, "absent")]

    while delivery.status == "unconfirmed":
        reconcile()
        delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("failed", "not_in_history")
    assert queries(delivery) == [(1, "absent"), (2, "absent")]
    first, second = delivery.queries.all()
    assert second.started_at - first.finished_at >= timedelta(seconds=0.2)


def make_due(delivery: Delivery, **changes: str) -> None:
    rows = Delivery.objects.filter(pk=delivery.pk)
    rows.update(next_query_at=timezone.now(), **changes)


def test_a_message_stored_after_the_first_query_is_accepted(tencent, reconcile):
    delivery = make_unconfirmed()
    reconcile()
    store(tencent, delivery)
    make_due(delivery)

    reconcile()

    delivery.refresh_from_db()
    assert delivery.status == "accepted"
    assert queries(delivery) == [(1, "absent"), (2, "present")]


def test_a_person_may_ask_sooner_but_the_second_absence_comes_late_enough(
    tencent, reconcile
):
    delivery = make_unconfirmed()
    reconcile()
    delivery.refresh_from_db()
    make_due(delivery, query_asked_by="lin.mei")
    reconcile()
    delivery.refresh_from_db()
    assert delivery.status == "unconfirmed"
    assert delivery.query_asked_by == ""
    first, second = delivery.queries.all()
    assert (first.asked_by, second.asked_by) == ("", "lin.mei")
    assert delivery.next_query_at == first.finished_at + timedelta(seconds=60)


def test_another_text_is_noted(tencent, reconcile):
    delivery = make_unconfirmed()
    store(tencent, delivery)
    body = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "other"}}]
    tencent.store.correct("plaza", 1, body, None)

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.is_altered) == ("accepted", True)
    assert "other" in delivery.queries.get().response


def test_the_same_number_from_another_account_is_unclear(tencent, reconcile):
    delivery = make_unconfirmed()
    store(tencent, delivery)
    tencent.store.get("plaza", 1).from_account = "another"

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, queries(delivery)) == ("unconfirmed", [(1, "unclear")])
    assert 50 < (delivery.next_query_at - timezone.now()).total_seconds() < 61


def test_a_busy_group_is_read_page_by_page(tencent, reconcile):
    delivery = make_unconfirmed()
    store(tencent, delivery)
    notification = make_message()
    for portion in range(90):
        other = make_unconfirmed(
            notification=notification, portion=portion + 1, next_query_at=None
        )
        store(tencent, other)
        tencent.store._groups["plaza"].arrivals.clear()  # 40 messages a second

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.msg_seq) == ("accepted", 1)
    query = delivery.queries.get()
    assert [one.get("ReqMsgSeq") for one in json.loads(query.request)] == [
        None, 71, 51, 31, 11,
    ]  # fmt: skip


def test_a_group_that_is_gone_gives_no_answer(tencent, reconcile):
    delivery = make_unconfirmed("unknown")

    reconcile()

    delivery.refresh_from_db()
    assert delivery.status == "unconfirmed"
    query = delivery.queries.get()
    assert (query.verdict, query.error_code) == ("no_answer", 10010)
    assert json.loads(query.response)[0]["ErrorCode"] == 10010


def test_without_a_network_the_query_has_no_answer(tencent, reconcile, settings):
    settings.IM_BASE_URL = "http://127.0.0.1:9"
    delivery = make_unconfirmed()

    reconcile()

    delivery.refresh_from_db()
    assert queries(delivery) == [(1, "no_answer")]
    assert len(json.loads(delivery.queries.get().request)) == 3


def test_the_pause_grows_to_an_hour(tencent, reconcile):
    delivery = make_unconfirmed("unknown")
    pauses = []
    for _n in range(8):
        reconcile()
        delivery.refresh_from_db()
        pause = (delivery.next_query_at - timezone.now()).total_seconds()
        pauses.append(round(pause, -1))
        make_due(delivery)

    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_after_the_hours_it_stays_unconfirmed(tencent, reconcile, settings):
    settings.IM_QUERY_GIVE_UP_HOURS = 1
    delivery = make_unconfirmed("unknown", ago=3590)

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_query_at) == ("unconfirmed", None)
    assert queries(delivery) == [(1, "no_answer")]


def test_an_earlier_refusal_does_not_prevent_the_verdict(tencent, reconcile):
    """Refused first, called again, and then no answer."""
    delivery = make_unconfirmed(error_code=10002, error_info="internal error")
    store(tencent, delivery)

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.error_code) == ("accepted", None)


def test_a_notification_is_not_sealed_while_a_query_is_open(tencent, reconcile):
    delivery = make_unconfirmed()
    assert not sealable().exists()
    store(tencent, delivery)
    reconcile()
    assert sealable().get() == delivery.notification


def test_a_channel_that_cannot_be_asked_is_closed(tencent, reconcile):
    """For example a live room, after the setting was switched off."""
    delivery = make_unconfirmed("live")

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_query_at) == ("unconfirmed", None)
    assert not DeliveryQuery.objects.exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("IM_SDK_APP_ID", "1400000009"),
        ("IM_BASE_URL", "http://127.0.0.1:9"),
        ("IM_REGION", "singapore"),
    ],
)
def test_another_application_is_not_queried(
    tencent, reconcile, settings, caplog, setting, value
):
    """Its group with the same ID has another history: nothing would be found there."""
    delivery = make_unconfirmed("plaza")
    present = getattr(settings, setting)
    setattr(settings, setting, value)
    record_settings("worker")
    setattr(settings, setting, present)
    record_settings("worker")

    reconcile()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_query_at) == ("unconfirmed", None)
    assert not delivery.queries.exists()
    assert "another application" in caplog.text


def test_the_application_of_the_call_is_queried(tencent, reconcile, settings):
    present, settings.IM_SDK_APP_ID = settings.IM_SDK_APP_ID, "1400000009"
    record_settings("worker")
    settings.IM_SDK_APP_ID = present
    record_settings("worker")
    delivery = make_unconfirmed("plaza", ago=-5)
    store(tencent, delivery)
    settings.IM_DAILY_QUOTA = 5
    record_settings("worker")

    reconcile()

    delivery.refresh_from_db()
    assert delivery.status == "accepted"


def test_without_the_time_of_tencent_no_message_is_known_to_be_older(
    tencent, reconcile, monkeypatch
):
    """Its clock may be minutes behind, so that all messages seem to be older."""
    monkeypatch.setattr(ImClient, "answered_at", None)
    delivery = make_unconfirmed("plaza")
    store(tencent, delivery)
    for portion in range(2, 24):
        other = make_unconfirmed(
            "plaza",
            notification=delivery.notification,
            portion=portion,
            next_query_at=None,
        )
        store(tencent, other)
    for message in tencent.store.of_group("plaza"):
        message.msg_time -= 200

    reconcile()

    assert queries(delivery) == [(1, "present")]


def test_a_call_that_is_older_than_the_history_is_not_queried(tencent, reconcile):
    """A worker that died a week ago: Tencent may not have its message any more."""
    kept = timedelta(days=7).total_seconds()
    old = make_unconfirmed("plaza", ago=kept + 1)
    in_time = make_unconfirmed("hikers", ago=kept - 30)

    reconcile()

    old.refresh_from_db()
    assert (old.status, old.next_query_at) == ("unconfirmed", None)
    assert queries(old) == []
    assert queries(in_time) == [(1, "absent")]
