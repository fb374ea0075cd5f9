"""Threads that die are counted, stored and started again."""

import threading
from unittest.mock import patch

import pytest

from notifications.delivery.threads import MAX_DEATHS, WINDOW, Deaths, WorkerThread
from notifications.models import TaskDeaths


def test_five_deaths_of_one_task_within_ten_minutes_are_too_many():
    now = [0.0]
    deaths = Deaths(clock=lambda: now[0])
    for task in ("calls", "sync"):
        for _n in range(MAX_DEATHS - 1):
            deaths.record(task, KeyError())
    assert deaths.too_many() == ""

    now[0] = WINDOW + 1
    deaths.record("sync", KeyError())
    assert deaths.too_many() == ""  # four of them are older

    for _n in range(MAX_DEATHS - 1):
        deaths.record("sync", KeyError())
    assert deaths.too_many() == "sync"


def test_a_death_is_logged_with_its_error(caplog):
    Deaths().record("calls", KeyError("mistake"), {"delivery": 7})

    (entry,) = caplog.records
    assert entry.getMessage().startswith('Unexpected error in the task "calls"')
    assert (entry.exc_info[0], entry.delivery) == (KeyError, 7)


@pytest.mark.django_db
def test_deaths_are_added_to_those_of_earlier_workers():
    TaskDeaths.objects.create(
        task="sync", count=10, last_at="2026-03-02T09:30Z", last_error="OSError"
    )
    deaths = Deaths()
    deaths.write()  # nothing yet
    deaths.record("sync", KeyError())
    deaths.record("sealing", SystemExit())
    deaths.write()
    deaths.record("sync", MemoryError())
    deaths.write()
    deaths.write()

    rows = TaskDeaths.objects.values_list("task", "count", "last_error")
    assert set(rows) == {("sync", 12, "MemoryError"), ("sealing", 1, "SystemExit")}
    assert TaskDeaths.objects.get(task="sync").last_at.year >= 2026


def test_a_thread_that_has_ended_is_started_again():
    runs: list[str] = []
    started = threading.Event()

    def run() -> None:
        runs.append(threading.current_thread().name)
        started.set()

    deaths = Deaths()
    thread = WorkerThread("http-1", "calls", run, deaths)
    assert thread.keep_alive()
    assert started.wait(20)
    thread.join()

    assert thread.keep_alive()
    thread.join()

    assert runs == ["http-1"] * 2
    assert deaths.counts == {"calls": 1}


def test_a_thread_that_the_system_refuses_is_a_death(caplog):
    ran = threading.Event()
    deaths = Deaths()
    thread = WorkerThread("sealing", "sealing", ran.set, deaths)

    refusal = RuntimeError("can't start new thread")
    with patch.object(threading.Thread, "start", side_effect=refusal):
        assert not thread.keep_alive()
        thread.join()  # does nothing

    assert deaths.counts == {"sealing": 1}
    assert "can't start new thread" in caplog.text
    assert thread.keep_alive()
    assert ran.wait(20)
