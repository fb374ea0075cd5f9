"""Errors inside the worker: it records them, writes what it knows, and ends in time."""

import json
import signal
import sys
import threading
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from notifications import conf
from notifications.delivery import worker as delivery_worker
from notifications.delivery.background import BackgroundTask
from notifications.delivery.results import ResultWriter
from notifications.delivery.threads import MAX_DEATHS, TooManyDeaths
from notifications.delivery.worker import SendWorker
from notifications.models import Installation, Pace, TaskDeaths, Worker
from notifications.rate_limit.clock import engine_clock
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.client import ImClient
from tests.delivery.test_worker import send_to, start_worker, wait_for, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)


def make_worker(**kwargs) -> SendWorker:
    values = {"stop_requested": lambda: False, "until_idle": True, "threads": 4}
    return SendWorker(conf.connection(), engine_clock(), **values | kwargs)


def deaths() -> dict[str, int]:
    return dict(TaskDeaths.objects.values_list("task", "count"))


def failing(times: int, error: BaseException):
    """A wrapper of a function that raises at its first ``times`` calls."""

    def wrap(function):
        calls = iter(range(times))

        def wrapped(*args, **kwargs):
            if next(calls, None) is not None:
                raise error
            return function(*args, **kwargs)

        return wrapped

    return wrap


def fail_first(monkeypatch, owner, name: str, times: int, error: BaseException) -> None:
    monkeypatch.setattr(owner, name, failing(times, error)(getattr(owner, name)))


def fail_to_write(monkeypatch, times: int, error: BaseException) -> None:
    """Fail ``times`` times to write results of calls; missed slots are written."""
    write = ResultWriter.write
    fail = failing(times, error)(write)

    def write_or_fail(writer, results):
        called = any(result.outcome for result in results)
        return (fail if called else write)(writer, results)

    monkeypatch.setattr(ResultWriter, "write", write_or_fail)


@pytest.mark.parametrize("error", [KeyError("mistake"), SystemExit("library")])
def test_an_error_in_a_call_costs_one_delivery(sandbox, monkeypatch, error):
    notification = send_to(sandbox, {f"g{n}": "" for n in range(20)})
    fail_first(
        monkeypatch, sys.modules[ImClient.__module__], "parse_response", 1, error
    )

    make_worker().run()

    counts = notification.deliveries.counts()
    assert (counts["accepted"], counts["unconfirmed"]) == (19, 1)
    row = notification.deliveries.get(status="unconfirmed")
    assert row.reason == row.attempts.get().reason == "defect"
    assert deaths() == {"calls": 1}
    assert Worker.objects.get().ended_at is not None


def test_too_many_errors_in_calls_end_the_worker(sandbox, monkeypatch):
    notification = send_to(sandbox, {f"g{n}": "slow:20" for n in range(40)})
    error = KeyError("mistake")
    fail_first(
        monkeypatch, sys.modules[ImClient.__module__], "parse_response", 5, error
    )

    with pytest.raises(TooManyDeaths, match='its task "calls" died'):
        make_worker(until_idle=False).run()

    counts = notification.deliveries.counts()
    assert counts["sending"] == 0
    assert counts["unconfirmed"] == 5
    assert counts["accepted"] == len(sandbox.journal) - 5
    assert counts["queued"] > 0
    assert deaths() == {"calls": 5}
    assert Worker.objects.get().ended_at is not None


def test_an_error_in_the_database_thread_loses_no_result(sandbox, monkeypatch, caplog):
    notification = send_to(sandbox, {f"g{n}": "slow:300" for n in range(12)})
    fail_to_write(monkeypatch, 1, SystemExit("mistake"))

    with pytest.raises(TooManyDeaths, match='its task "sending" died'):
        make_worker(threads=8).run()

    counts = notification.deliveries.counts()
    assert counts["sending"] == counts["unconfirmed"] == 0
    assert counts["accepted"] == len(sandbox.journal) > 0
    assert counts["queued"] > 0
    assert deaths() == {"sending": 1}
    assert "SystemExit: mistake" in caplog.text
    assert Worker.objects.get().ended_at is not None


def test_results_that_cannot_be_written_become_unconfirmed(sandbox, monkeypatch):
    notification = send_to(sandbox, {"g": ""})
    with monkeypatch.context() as patched:
        fail_to_write(patched, 100, KeyError("mistake"))
        with pytest.raises(TooManyDeaths):
            make_worker().run()
    assert deaths() == {"sending": MAX_DEATHS}

    work_until_idle()

    row = notification.deliveries.get()
    assert (row.status, row.reason) == ("unconfirmed", "worker_lost")
    assert len(sandbox.journal) == 1


def test_a_task_that_dies_again_and_again_ends_the_worker(sandbox):
    def work(_task):
        raise KeyError("mistake")

    task = BackgroundTask("sealing", work, every=0.01, restart_after=0.01)

    with pytest.raises(TooManyDeaths, match='its task "sealing" died'):
        make_worker(until_idle=False, tasks=[task]).run()

    assert deaths()["sealing"] >= MAX_DEATHS


def test_without_threads_the_worker_ends(sandbox, monkeypatch):
    notification = send_to(sandbox, {"g": ""})
    monkeypatch.setattr(delivery_worker, "CHORE_INTERVAL", 0.01)
    refusal = RuntimeError("can't start new thread")
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("http-"):
            raise refusal
        start(thread)

    with (
        patch.object(threading.Thread, "start", refuse),
        pytest.raises(TooManyDeaths, match='its task "calls" died'),
    ):
        make_worker(until_idle=False).run()

    assert notification.deliveries.get().status == "queued"


def test_the_command_ends_with_1(sandbox):
    with (
        patch.object(SendWorker, "run", side_effect=TooManyDeaths("sync")),
        patch.object(signal, "signal"),
        pytest.raises(CommandError, match='its task "sync" died') as caught,
    ):
        call_command("send_worker")

    assert caught.value.returncode == 1


def test_sigterm_ends_a_worker_that_cannot_make_a_client(sandbox, process_env):
    """Such a worker used to keep its deliveries and to ignore the signal."""
    notification = send_to(sandbox, {f"g{n}": "" for n in range(3)})
    broken = (
        "import manage, threading, notifications.conf as conf\n"
        "make = conf.Connection.client\n"
        "def client(self):\n"
        "    if threading.current_thread() is threading.main_thread():\n"
        "        return make(self)  # of the checks before the start\n"
        "    raise ValueError('bad port')\n"
        "conf.Connection.client = client\n"
        "manage.execute_from_command_line(['manage.py', 'send_worker'])"
    )
    process = start_worker(
        process_env | {"DJANGO_SETTINGS_MODULE": "notifier_site.settings"},
        program=["-c", broken],
    )
    wait_for(lambda: notification.deliveries.filter(attempts__isnull=False).exists())

    process.send_signal(signal.SIGTERM)
    _out, errors = process.communicate(timeout=30)

    assert process.returncode == 0, errors
    assert notification.deliveries.counts()["queued"] == 3
    assert Worker.objects.get().ended_at is not None


# --- a stop during the start ----------------------------------------------------------


def test_a_stop_before_the_registration_leaves_no_worker(sandbox):
    make_worker(stop_requested=lambda: True, until_idle=False).run()

    assert not Worker.objects.exists()


@pytest.mark.parametrize("after", [0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 2.5])
def test_sigterm_during_the_start_ends_it_promptly(sandbox, process_env, after):
    process = start_worker(process_env)
    time.sleep(after)

    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _out, errors = process.communicate(timeout=30)

    assert process.returncode in (0, -signal.SIGTERM), errors
    assert time.monotonic() - began < 10
    assert not Worker.objects.filter(ended_at__isnull=True).exists()


# --- a restored database ----------------------------------------------------------------


def more_claims_than_the_database_has(settings) -> None:
    name = f"{settings.IM_SDK_APP_ID}:{SendGroupSystemNotification.COMMAND}"
    key = f"{Installation.present().key}/{name}"
    Path(settings.STATE_DIR, "claims.json").write_text(json.dumps({key: 5}))


def test_on_a_restored_database_no_worker_is_registered(
    sandbox, settings, tmp_path, process_env
):
    settings.STATE_DIR = tmp_path
    more_claims_than_the_database_has(settings)

    process = start_worker(process_env | {"STATE_DIR": str(tmp_path)})
    _out, errors = process.communicate(timeout=30)

    assert process.returncode == 2
    assert "The database has 0 claimed calls, but 5 were made" in errors
    assert not Worker.objects.exists()


def test_an_idle_worker_ends_when_its_database_is_restored(
    sandbox, settings, tmp_path, process_env
):
    settings.STATE_DIR = tmp_path
    send_to(sandbox, {f"g{n}": "" for n in range(3)})
    process = start_worker(process_env | {"STATE_DIR": str(tmp_path)})
    wait_for(lambda: Pace.objects.filter(claimed__gte=3).exists())
    wait_for(lambda: len(sandbox.journal) == 3)
    time.sleep(0.5)  # its results are written, and it is idle

    Pace.objects.update(claimed=1)
    try:
        _out, errors = process.communicate(timeout=10)
    finally:
        process.kill()

    assert process.returncode == 2
    assert "The database has 1 claimed calls, but" in errors
    assert Worker.objects.get().ended_at is not None
