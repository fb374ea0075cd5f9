"""The worker with the sandbox: every outcome, a stop, a crash, a lost database."""

import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.utils import timezone

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery import controls as delivery_controls
from notifications.delivery.worker import SendWorker
from notifications.models import Attempt, AuditEntry, Delivery, Notification, Worker
from notifications.rate_limit.clock import engine_clock
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Until ``condition`` holds; an error when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "The condition never came true."
        time.sleep(0.02)


def send_to(sandbox, faults: dict[str, str], **kwargs) -> Notification:
    """A notification to one group per entry, each with its fault in the sandbox."""
    for group_id, fault in faults.items():
        make_group(group_id=group_id)
        sandbox.add_group(group_id, "Public", fault=fault)
    user = kwargs.pop("sender", None) or make_user(permissions.COMMUNITY_MANAGER)
    draft = make_notification(
        sender=user, audience="chosen", audience_values=list(faults), **kwargs
    )
    return services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())


def work_until_idle() -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=8,
    ).run()


def results(notification: Notification) -> dict[str, tuple]:
    return {
        row.group_id: (row.status, row.error_code, row.reason, row.attempt_count)
        for row in notification.deliveries.order_by("id")
    }


def test_every_outcome_is_recorded_and_agrees_with_the_journal(sandbox):
    notification = send_to(
        sandbox,
        {
            "ok": "",
            "gone": "code:10010",
            "busy": "code_times:60007:1",
            "lost": "reset_after",
            "odd": "bool_code",
            "failed-with-0": "fail_with_0",
            "ok-with-a-code": "ok_with_code:10010",
            "done": "odd_action_status",
            "no-status": "no_action_status",
            "proxy": "status_502",
        },
    )

    work_until_idle()

    assert results(notification) == {
        "ok": ("accepted", 0, "", 1),
        "gone": ("failed", 10010, "", 1),
        "busy": ("accepted", 0, "", 2),
        "lost": ("unconfirmed", None, "connection_lost", 1),
        "odd": ("unconfirmed", None, "bad_answer", 1),
        "failed-with-0": ("unconfirmed", None, "contradiction", 1),
        "ok-with-a-code": ("unconfirmed", None, "contradiction", 1),
        "done": ("unconfirmed", None, "bad_answer", 1),
        "no-status": ("accepted", 0, "", 1),
        "proxy": ("unconfirmed", None, "http_status", 1),
    }
    notification.refresh_from_db()
    assert notification.status == "completed"
    for row in notification.deliveries.all():
        assert len(sandbox.journal.calls_for(row.group_id)) == row.attempts.count()
    assert {entry.content for entry in sandbox.journal} == {notification.content}
    # Both halves of a contradiction are recorded as they came.
    attempts = Attempt.objects.filter(reason="contradiction").order_by("action_status")
    assert [*attempts.values_list("action_status", "detail", "error_info")] == [
        ("FAIL", "The answer holds ActionStatus FAIL and ErrorCode 0.", ""),
        (
            "OK",
            "The answer holds ActionStatus OK and ErrorCode 10010.",
            "contradiction",
        ),
    ]
    assert Worker.objects.get().ended_at is not None


def test_recipients_arrive_in_portions(sandbox, settings):
    settings.IM_RECIPIENTS_PER_CALL = 2
    send_to(sandbox, {"g": ""}, recipients="a\nb\nc")

    work_until_idle()

    assert sorted(entry.recipients for entry in sandbox.journal) == [("a", "b"), ("c",)]


def test_a_wrong_key_pauses_before_the_queue_is_burnt(sandbox, settings):
    settings.IM_SECRET_KEY = "of another application"
    notification = send_to(sandbox, {f"g{n}": "" for n in range(60)})

    work_until_idle()

    notification.refresh_from_db()
    assert (notification.status, notification.paused_code) == ("paused", 70009)
    assert notification.deliveries.counts()["queued"] == 60
    assert Attempt.objects.count() < 30


def test_a_paused_notification_goes_on_after_mending(sandbox, settings):
    key, settings.IM_SECRET_KEY = settings.IM_SECRET_KEY, "wrong"
    notification = send_to(sandbox, {"g": ""})
    work_until_idle()
    settings.IM_SECRET_KEY = key

    delivery_controls.resume(notification.sender, notification.pk)
    work_until_idle()

    assert results(notification) == {"g": ("accepted", 0, "", 2)}


def test_an_unreachable_service_pauses_without_a_call(settings):
    settings.IM_BASE_URL = "http://127.0.0.1:9"
    make_group(group_id="g")
    user = make_user(permissions.COMMUNITY_MANAGER)
    draft = make_notification(sender=user, audience="every", doubt_streak=19)
    services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())

    work_until_idle()

    draft.refresh_from_db()
    assert (draft.status, draft.paused_reason) == ("paused", "doubt")
    assert results(draft) == {"g": ("queued", None, "", 1)}
    assert Attempt.objects.get().outcome == "not_sent"


def test_the_limit_holds_and_everything_is_called_once(sandbox, settings):
    settings.IM_CALLS_PER_SECOND = 2  # far below what a slow machine can do
    notification = send_to(sandbox, {f"g{n}": "" for n in range(8)})

    work_until_idle()

    assert notification.deliveries.counts()["accepted"] == 8
    assert len(sandbox.journal) == 8
    assert sandbox.journal.most_in_window(1.0) <= 2


def start_worker(
    process_env, *arguments: str, program: Sequence[str] = ("manage.py", "send_worker")
) -> subprocess.Popen:
    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *program, *arguments],
        env=process_env,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_finishes_what_is_under_way(sandbox, process_env):
    notification = send_to(sandbox, {f"g{n}": "slow:300" for n in range(120)})
    process = start_worker(process_env)
    wait_for(lambda: len(sandbox.journal) >= 20)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert process.returncode == 0
    counts = notification.deliveries.counts()
    assert counts["sending"] == counts["unconfirmed"] == 0
    assert counts["accepted"] == len(sandbox.journal) == 120 - counts["queued"]
    assert Worker.objects.get().ended_at is not None


def test_a_killed_worker_leaves_bounded_doubt_and_no_second_call(sandbox, process_env):
    notification = send_to(sandbox, {f"g{n}": "slow:80" for n in range(150)})
    process = start_worker(process_env)
    wait_for(lambda: len(sandbox.journal) >= random.Random().randrange(5, 60))
    process.kill()
    process.communicate(timeout=30)
    # Otherwise the next worker observes the lease of the dead one for ten seconds.
    Worker.objects.update(ended_at=timezone.now())

    work_until_idle()

    counts = notification.deliveries.counts()
    assert counts["accepted"] + counts["unconfirmed"] == 150
    accepted = notification.deliveries.filter(status="accepted")
    claim_to_answer = statistics.mean(
        (row.finished_at - row.claimed_at).total_seconds() for row in accepted
    )
    assert counts["unconfirmed"] <= 190 * (claim_to_answer + 0.05) + 5
    for row in notification.deliveries.all():
        assert len(sandbox.journal.calls_for(row.group_id)) <= 1
        assert row.status == "unconfirmed" or sandbox.journal.calls_for(row.group_id)
    assert (
        Attempt.objects.filter(outcome="worker_lost").count() == (counts["unconfirmed"])
    )


def test_until_idle_names_what_is_paused(sandbox, process_env):
    paused = make_notification(
        status="paused", paused_reason="account_code", paused_code=70009
    )
    make_delivery(paused)

    process = start_worker(process_env, "--until-idle")
    _out, errors = process.communicate(timeout=30)

    assert process.returncode == 0
    assert errors.splitlines()[-1].endswith("is paused: account_code (ErrorCode 70009)")
    seen = AuditEntry.objects.get(action="settings_changed")
    assert seen.actor.startswith("send_worker (")
    assert seen.detail["now"]["IM_BASE_URL"] == sandbox.url


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"IM_SECRET_KEY": ""}, "IM_SECRET_KEY is empty: nothing can be sent."),
        ({"IM_REGION": "mars", "IM_BASE_URL": ""}, "IM_REGION is “mars”."),
    ],
)
def test_the_worker_refuses_to_start_without_an_account(
    process_env, variables, sentence
):
    process = start_worker(process_env | variables, "--until-idle")
    _out, errors = process.communicate(timeout=30)

    assert process.returncode == 2
    assert errors.startswith(f"CommandError: The worker does not start. {sentence}")
    assert Worker.objects.count() == 0


def test_a_second_worker_shares_the_work(sandbox):
    notification = send_to(sandbox, {f"g{n}": "slow:50" for n in range(100)})
    threads = [threading.Thread(target=_work_in_thread) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert notification.deliveries.counts()["accepted"] == 100
    assert len(sandbox.journal) == 100
    assert Delivery.objects.filter(attempt_count=1).count() == 100


def _work_in_thread() -> None:
    try:
        work_until_idle()
    finally:
        connection.close()
