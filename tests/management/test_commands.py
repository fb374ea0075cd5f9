"""The commands as processes, and their error messages."""

import signal
import subprocess
import sys
import urllib.request

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from notifications.access.services.people_check import people_differences
from notifications.models import Attempt, AuditEntry, ChatGroup, Delivery, Notification
from notifications.record.sealing import seal_all
from notifications.record.verification import verify
from notifications.sandbox.groups import BUILT_IN, load_groups
from tests.factories import make_group

pytestmark = pytest.mark.one_database


def fill() -> None:
    call_command("fill_demo", groups=str(BUILT_IN), password="long enough")


@pytest.mark.django_db
def test_the_record_of_the_demo_is_unchanged():
    fill()
    seal_all()

    verification = verify()

    assert verification.differences == []
    assert verification.notifications == 14
    assert list(people_differences()) == []


@pytest.mark.django_db
def test_the_demo_has_a_past_with_every_outcome():
    fill()

    # The Community groups and the one of an unknown type come with the first sync.
    assert ChatGroup.objects.count() == len(load_groups()) - 3 == 42
    assert set(User.objects.values_list("username", flat=True)) == {
        "lin.mei",
        "chen.jie",
        "wang.fang",
        "admin",
    }
    assert dict(Notification.objects.values_list("status").annotate(n=Count("id"))) == {
        "draft": 1,
        "completed": 13,
        "cancelled": 1,
        "paused": 1,
    }
    results = set(Delivery.objects.values_list("status", "error_code", "reason"))
    assert results == {
        ("accepted", 0, ""),
        ("failed", 10002, ""),
        ("failed", 10007, ""),
        ("failed", 10010, ""),
        ("failed", 10015, ""),
        ("failed", 10017, ""),
        ("unconfirmed", None, "no_answer"),
        ("unconfirmed", None, "connection_lost"),
        ("unconfirmed", None, "worker_lost"),
        ("cancelled", None, ""),
        ("queued", None, ""),
        ("queued", 70009, ""),
    }
    assert Delivery.objects.filter(status="accepted", attempt_count=2).exists()
    assert Delivery.objects.exclude(recipients="").exists()
    messages = Delivery.objects.filter(channel="group_message", msg_seq__isnull=False)
    assert messages.exists()
    recall, correction = Notification.objects.filter(amends__isnull=False)
    assert (recall.channel, correction.channel) == ("recall", "correction")
    statuses = ["accepted", "failed"]
    assert [recall.deliveries.counts()[one] > 0 for one in statuses] == [True, True]
    assert correction.deliveries.counts()["accepted"] == correction.audience_count
    assert AuditEntry.objects.filter(action="late_answer").exists()
    assert set(ChatGroup.objects.values_list("state", flat=True)) == {
        "in_use",
        "switched_off",
        "closed",
    }
    calls = Delivery.objects.aggregate(n=Sum("attempt_count"))["n"]
    assert Attempt.objects.count() == calls


@pytest.mark.django_db
def test_the_demo_refuses_a_database_that_is_in_use():
    make_group()

    with pytest.raises(CommandError, match="The database is not empty"):
        fill()

    assert ChatGroup.objects.count() == 1


def start_sandbox(process_env, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "manage.py", "im_sandbox", "--port", "0", *arguments],
        env=process_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.django_db
def test_the_sandbox_runs_until_sigterm(process_env):
    with start_sandbox(process_env) as process:
        line = process.stdout.readline()
        address = line.split()[2]
        with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310  our own
            assert b"a stand-in for Tencent IM" in page.read()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert line.endswith("/ with 45 groups\n")
    assert process.returncode == 0


@pytest.mark.django_db
def test_the_application_of_the_sandbox_is_chosen(process_env):
    arguments = ["--edition", "trial", "--new-customer", "--callback", "rewrite"]
    arguments += ["--switch-off", "group_msg_recall:10041", "--repeats", "zero"]
    with start_sandbox(process_env, *arguments) as process:
        address = process.stdout.readline().split()[2]
        with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310  our own
            text = page.read().decode()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert (
        "trial edition; new customer; the app&#x27;s callback changes the text of every "
        "message; switched off: group_msg_recall:10041; a repeat is answered with OK and "
        "MsgSeq 0"
    ) in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variables", "arguments", "sentence"),
    [
        ({"IM_SECRET_KEY": ""}, [], "Set IM_SDK_APP_ID and IM_SECRET_KEY"),
        ({}, ["--groups", "no-such-file.csv"], "The sandbox does not start: "),
        ({}, ["--switch-off", "a:b"], "The sandbox does not start: “a:b”"),
    ],
)
def test_the_sandbox_refuses_in_a_sentence(process_env, variables, arguments, sentence):
    with start_sandbox(process_env | variables, *arguments) as process:
        _out, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert errors.startswith(f"CommandError: {sentence}")
    assert errors.count("\n") == 1
