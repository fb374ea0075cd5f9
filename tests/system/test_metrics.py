"""The metrics: their values, counters that never decrease, labels without names."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications import audit_log
from notifications.models import Delivery, GroupSync, SendingSwitch, TaskDeaths, Worker
from notifications.rate_limit.clock import engine_clock
from notifications.record.audit_events import VERIFIED
from notifications.system.health import checks, unsealed
from notifications.system.metrics import Metrics
from tests.environment import ROOT
from tests.factories import (
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

QUERIES = 22


def samples(metrics: Metrics | None = None) -> dict[str, float]:
    """Values by ``name{label=value}``, without the empty labels."""
    text = (metrics or Metrics()).text(checks()).decode()
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sample.labels.items() if v)
            values[f"{sample.name}{{{labels}}}".replace("{}", "")] = sample.value
    return values


def ended(*statuses: str, sealed: bool = True):
    notification = make_notification(status="completed")
    for status in statuses:
        make_delivery(notification, status=status)
    if sealed:
        make_seal(notification)
    return notification


def test_nothing_has_happened_yet():
    values = samples()

    assert values["notifier_workers"] == 0
    assert values["notifier_sending_allowed"] == 1
    assert values["notifier_oldest_due_seconds"] == 0
    assert values["notifier_unconfirmed_deliveries_total"] == 0
    assert values["notifier_unsealed_seconds"] == 0
    assert values["notifier_verified_timestamp_seconds"] == 0
    assert values["notifier_calls_per_second_limit"] == 190
    assert values["notifier_check_passed{check=guards}"] == 1
    assert values["notifier_check_passed{check=worker}"] == 0
    assert values["notifier_database_bytes"] > 10_000
    assert sum(v for k, v in values.items() if "paused_notifications" in k) == 0


def test_sending():
    now = timezone.now()
    sending = make_notification(status="sending")
    for seconds in (30, 90, -60):
        make_delivery(sending, not_before=now - timedelta(seconds=seconds))
    make_delivery(sending, status="sending")
    paused = make_notification(status="paused", paused_reason="doubt")
    make_delivery(paused, not_before=now - timedelta(days=1))
    for seconds, outcome in [(5, "accepted"), (50, "unconfirmed"), (5, "not_sent")]:
        at = now - timedelta(seconds=seconds)
        made = make_delivery(sending, status="unconfirmed")
        make_attempt(made, outcome=outcome, started_at=at, finished_at=now)
    make_attempt(started_at=now - timedelta(minutes=2), finished_at=now)
    clock = engine_clock()
    for age in (0, 1, 60):
        Worker.objects.create(
            name="w", boot_id=clock.boot_id, lease=clock.now() - age, heartbeat_at=now
        )
    SendingSwitch.objects.create(pk=1, is_off=True)
    TaskDeaths.objects.create(task="sync", count=3, last_at=now, last_error="KeyError")

    values = samples()

    assert values["notifier_waiting_deliveries{notification=sending}"] == 3
    assert values["notifier_waiting_deliveries{notification=paused}"] == 1
    assert values["notifier_waiting_deliveries{notification=scheduled}"] == 0
    assert values["notifier_in_flight_deliveries"] == 1
    assert 90 <= values["notifier_oldest_due_seconds"] < 150
    assert values["notifier_calls_last_minute"] == 2
    assert values["notifier_paused_notifications{reason=doubt}"] == 1
    assert values["notifier_paused_notifications{reason=person}"] == 0
    assert values["notifier_workers"] == 2
    assert values["notifier_thread_deaths_total{task=sync}"] == 3
    assert values["notifier_thread_deaths_total{task=sealing}"] == 0
    assert values["notifier_sending_allowed"] == 0


def test_open_queries():
    now = timezone.now()
    sent = make_notification(status="sending", channel="group_message")
    for random, seconds in enumerate((90, 30, -3600), start=1):
        due = now - timedelta(seconds=seconds)
        make_delivery(
            sent,
            status="unconfirmed",
            channel="group_message",
            random=random,
            next_query_at=due,
        )
    make_delivery(sent, status="unconfirmed")  # not queried any more

    values = samples()

    assert values["notifier_open_queries"] == 3
    assert 90 <= values["notifier_overdue_query_seconds"] < 150


def test_recalls_and_corrections_are_counted_apart():
    metrics = Metrics()
    sent = make_notification(status="completed", channel="group_message")
    for _twice in range(2):
        make_delivery(sent, status="accepted")
    recall = make_ended_amendment(sent)
    make_ended_amendment(
        sent, "correction", status="unconfirmed", reason="no_answer", error_code=None
    )
    expected = {
        "notifier_deliveries_total{code=0,result=accepted}": 2,
        "notifier_amended_messages_total{code=0,kind=recall,result=accepted}": 2,
        "notifier_amended_messages_total{kind=correction,reason=no_answer,result=unconfirmed}": 2,
    }

    def totals():
        values = samples(metrics).items()
        return {
            k: v
            for k, v in values
            if k.startswith(("notifier_deliv", "notifier_amend"))
        }

    assert totals() == expected
    make_seal(recall)
    assert totals() == expected
    assert samples(metrics)["notifier_unconfirmed_deliveries_total"] == 0


def test_no_query_is_overdue():
    values = samples()

    assert values["notifier_open_queries"] == 0
    assert values["notifier_overdue_query_seconds"] == 0


def test_outcomes_are_counted_once_while_they_are_sealed():
    metrics = Metrics()
    ended("accepted", "accepted", "failed")
    open_one = ended("accepted", "unconfirmed", "cancelled", sealed=False)
    make_delivery(status="queued")
    expected = {
        "notifier_deliveries_total{code=0,result=accepted}": 3,
        "notifier_deliveries_total{code=10010,result=failed}": 1,
        "notifier_deliveries_total{reason=no_answer,result=unconfirmed}": 1,
        "notifier_deliveries_total{result=cancelled}": 1,
    }

    def totals() -> dict[str, float]:
        values = samples(metrics).items()
        return {k: v for k, v in values if k.startswith("notifier_deliveries_total")}

    assert totals() == expected
    make_seal(open_one)
    assert totals() == expected
    assert totals() == expected
    ended("failed")
    expected["notifier_deliveries_total{code=10010,result=failed}"] = 2
    assert totals() == expected
    assert samples(metrics)["notifier_unconfirmed_deliveries_total"] == 1


def test_the_record():
    now = timezone.now()
    ended("accepted")
    for hours in (1, 2):
        make_notification(status="completed", finished_at=now - timedelta(hours=hours))
    audit_log.write(
        VERIFIED,
        "verify_history",
        at=now - timedelta(days=1),
        unchanged=True,
        archived=3,
        only=None,
        since=None,
    )

    values = samples()

    assert values["notifier_unsealed_notifications"] == 2
    assert 7200 <= values["notifier_unsealed_seconds"] < 7260
    assert values["notifier_verified_unchanged"] == 1
    assert values["notifier_verified_undetermined"] == 1
    verified = (now - timedelta(days=1)).timestamp()
    assert values["notifier_verified_timestamp_seconds"] == pytest.approx(verified)


def test_syncs():
    now = timezone.now()
    for status, at in [("completed", now), ("failed", now), ("running", None)]:
        GroupSync.objects.create(requested_by="li", status=status, finished_at=at)

    values = samples()

    assert values["notifier_sync_state{state=running}"] == 1
    assert values["notifier_sync_state{state=failed}"] == 0
    assert values["notifier_sync_completed_timestamp_seconds"] == pytest.approx(
        now.timestamp()
    )


def test_no_personal_names_and_a_constant_number_of_queries(
    django_assert_num_queries,
):
    make_user(username="wang.fang")
    passed = checks()
    ended("accepted", sealed=False)
    for _n in range(2):
        sent = ended("accepted", "failed")
        metrics = Metrics()
        with django_assert_num_queries(QUERIES):
            text = metrics.text(passed).decode()
        ended("failed", "unconfirmed", sealed=False)
        ended("accepted")

    of_groups = sent.deliveries.values_list("group_id", "group_name")
    names = {"lin.mei", "wang.fang", *(name for row in of_groups for name in row)}
    assert not [name for name in names if name in text]


def test_alerts_use_existing_metrics():
    ended("accepted", "unconfirmed")
    rules = (ROOT / "deploy" / "alerts.yml").read_text()
    asked = set(re.findall(r"\bnotifier_\w+", rules))

    assert len(asked) >= 12
    assert asked <= {name.partition("{")[0] for name in samples()}


def test_a_delivery_is_counted_when_tencent_is_not_queried_about_it_any_more():
    asked = make_delivery(
        make_notification(status="completed", channel="group_message"),
        status="unconfirmed",
        channel="group_message",
        random=7,
        next_query_at=timezone.now(),
    )
    metrics = Metrics()
    before, waits_for_a_seal = samples(metrics), unsealed().since
    Delivery.objects.filter(pk=asked.pk).update(
        status="accepted", reason="in_history", msg_seq=3, next_query_at=None
    )
    after = samples(metrics)

    assert waits_for_a_seal is None
    assert before["notifier_unconfirmed_deliveries_total"] == 0
    assert after["notifier_unconfirmed_deliveries_total"] == 0
    assert (
        "notifier_deliveries_total{reason=no_answer,result=unconfirmed}" not in before
    )
    assert after["notifier_deliveries_total{reason=in_history,result=accepted}"] == 1
