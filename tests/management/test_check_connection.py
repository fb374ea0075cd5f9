"""``manage.py check_connection``: output and exit codes."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from notifications import conf, permissions
from notifications.delivery.worker import SendWorker
from notifications.models import AuditEntry, Notification, SendingSwitch, Worker
from notifications.rate_limit.clock import engine_clock
from tests.factories import make_group, make_user
from tests.management.running import run

WITH_NOTICE = ["--group", "hikers", "--as", "lin.mei"]


@pytest.mark.django_db
def test_a_connection_that_works(sandbox):
    code, out, err = run("check_connection")

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["Passed"] * 9
    assert AuditEntry.objects.get().actor.startswith("check_connection (")


@pytest.mark.django_db
def test_a_connection_that_does_not(sandbox, settings):
    settings.IM_SECRET_KEY = "0" * 64
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers")

    code, out, err = run("check_connection", *WITH_NOTICE)

    assert code == 1
    assert "Failed       Key               The secret key does not" in out
    assert "Not reached  Administrator     -" in out
    assert "Copy the key from the page of this very application" in out
    assert "withdrawn the call for new customers" in err
    assert err.endswith("Key failed.")
    assert not Notification.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--group", "hikers"], "Name both --group and --as."),
        (["--as", "lin.mei"], "Name both --group and --as."),
        (["--group", "hikers", "--as", "ghost"], "no active user “ghost”"),
        (["--group", "elsewhere", "--as", "lin.mei"], "elsewhere"),
        (["--group", "hikers", "--as", "wang"], "Your login may not do this."),
    ],
)
def test_what_is_refused(sandbox, arguments, sentence):
    make_user(permissions.COMMUNITY_MANAGER)
    make_user(permissions.SYSTEM_ADMINISTRATOR, username="wang")
    make_group(group_id="hikers")

    code, _out, err = run("check_connection", *arguments)

    assert code == 2
    assert sentence in err
    assert not Notification.objects.exists()


@pytest.mark.django_db
def test_twice_in_a_row(sandbox):
    run("check_connection")

    assert run("check_connection")[0] == 2


@pytest.mark.django_db
@pytest.mark.parametrize("is_off", [True, False])
def test_a_notice_that_no_worker_sends(sandbox, is_off):
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers")
    SendingSwitch.objects.update_or_create(pk=1, defaults={"is_off": is_off})

    code, out, err = run("check_connection", *WITH_NOTICE)

    assert code == 1
    assert f"notification={Notification.objects.get().pk}" in out
    assert ("All sending is stopped" if is_off else "No worker is running") in err


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "expected", "output"),
    [
        ("", 0, "accepted=1 failed=0 unconfirmed=0 cancelled=0"),
        ("code:10015", 1, "accepted=0 failed=1 unconfirmed=0 cancelled=0"),
        ("code:60017", 1, "withdrawn the call for new customers"),
    ],
)
def test_the_outcome_of_the_notice(sandbox, fault, expected, output):
    sandbox.add_group("hikers", "Public", fault=fault)
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers")
    is_over = threading.Event()
    clock = engine_clock()
    # The worker is registered before the command checks for one.
    Worker.objects.create(
        name="w", boot_id=clock.boot_id, lease=clock.now(), heartbeat_at=timezone.now()
    )
    worker = SendWorker(
        conf.connection(),
        clock,
        stop_requested=is_over.is_set,
        until_idle=False,
        threads=2,
    )

    def work() -> None:
        try:
            worker.run()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        code, out, err = run("check_connection", *WITH_NOTICE)
    finally:
        is_over.set()
        thread.join()

    assert code == expected
    assert output in out + err
    assert [call.group_id for call in sandbox.journal] == ["hikers"]
