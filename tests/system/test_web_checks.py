"""The messages of ``manage.py check`` about the settings of the pages."""

import pytest
from django.core.checks import run_checks

from notifications.access.checks import check_sessions
from notifications.system.web_checks import (
    check_monitoring,
    check_variables,
    check_web_settings,
)
from notifier_site.env_file import SettingProblem

pytestmark = pytest.mark.one_database


def test_variables_that_could_not_be_read(settings):
    problem = SettingProblem("DEBUG is “2”.", "Use on or off.", "E010")
    settings.SETTINGS_PROBLEMS = [problem]

    (message,) = check_variables()

    assert (message.id, message.msg, message.hint) == (
        "notifier.E010",
        problem.sentence,
        problem.hint,
    )
    assert message in run_checks(tags=["im"])  # the tag that the worker checks


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"SECRET_KEY": ""}, ["notifier.E001"]),
        ({"SECRET_KEY": "hush "}, ["notifier.E007"]),
        ({"SECRET_KEY": "hush\nhush"}, ["notifier.E007"]),
        ({"SECRET_KEY": "\ufeffhush"}, ["notifier.E007"]),
        ({"TRUSTED_PROXIES": -1}, ["notifier.E004"]),
        ({"SESSION_HOURS": 24, "SESSION_IDLE_MINUTES": 1440}, []),
        ({"SESSION_HOURS": 0}, ["notifier.E005"]),
        ({"SESSION_HOURS": 25}, ["notifier.E005"]),
        ({"SESSION_IDLE_MINUTES": 0}, ["notifier.E006"]),
        ({"SESSION_IDLE_MINUTES": 481}, ["notifier.E006"]),
    ],
)
def test_web_settings(changes, ids):
    class Settings:
        SECRET_KEY = "x"
        TRUSTED_PROXIES = 1
        SESSION_HOURS = 8
        SESSION_IDLE_MINUTES = 30

    changed = type("Changed", (Settings,), changes)

    messages = [
        message
        for check in (check_web_settings, check_sessions)
        for message in check(settings=changed)
    ]
    assert [message.id for message in messages] == ids
    assert not any("hush" in message.msg for message in messages)


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"METRICS_TOKEN": "x" * 32, "DISK_FLOOR_MB": 0}, []),
        ({"METRICS_TOKEN": "x" * 31}, ["notifier.E060"]),
        ({"METRICS_TOKEN": "x" * 32 + " "}, ["notifier.E062"]),
        ({"METRICS_TOKEN": "\ufeff" + "x" * 32}, ["notifier.E062"]),
        ({"DISK_FLOOR_MB": -1}, ["notifier.E061"]),
    ],
)
def test_settings_of_a_monitoring(settings, changes, ids):
    for name, value in changes.items():
        setattr(settings, name, value)

    messages = list(check_monitoring())

    assert [message.id for message in messages] == ids
    assert not any("xxx" in f"{message.msg}{message.hint}" for message in messages)
