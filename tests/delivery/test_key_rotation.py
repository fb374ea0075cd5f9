"""The secret key is changed at Tencent during sending, without a failure."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.compose.services.member_check import check_members
from notifications.delivery.worker import SendWorker
from notifications.models import Attempt, Delivery
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.django_db(transaction=True)

NEXT = "f" * 64
GROUPS = 300


@pytest.fixture
def tencent(settings):
    """A sandbox with slow answers, so that many calls are in progress."""
    settings.IM_SECRET_KEY_NEXT = NEXT
    with SandboxServer(SandboxConfig(groups=[], latency_ms=100)) as server:
        settings.IM_BASE_URL = server.url
        yield server


@pytest.fixture
def manager(tencent):
    for number in range(GROUPS):
        make_group(group_id=f"g{number}")
        tencent.add_group(f"g{number}", "Public", members=["anna"])
    return make_user(permissions.COMMUNITY_MANAGER)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "The condition never came true."
        time.sleep(0.01)


def send_to_all(sender):
    draft = make_notification(sender=sender, audience="every")
    return services_send.send(
        sender, draft.pk, digest=checked_of(sender, draft).digest()
    )


def work() -> None:
    try:
        SendWorker(
            conf.connection(),
            engine_clock(),
            stop_requested=lambda: False,
            until_idle=True,
        ).run()
    finally:
        connection.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_send_goes_on_with_the_next_key(tencent, manager, workers):
    notification = send_to_all(manager)
    threads = [threading.Thread(target=work) for _n in range(workers)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(tencent.journal) >= 100)

    tencent.change_key(NEXT)
    for thread in threads:
        thread.join()

    notification.refresh_from_db()
    assert (notification.status, notification.paused_reason) == ("completed", "")
    assert Delivery.objects.filter(status="accepted").count() == GROUPS
    assert len(tencent.journal) == GROUPS  # no group was called twice
    refused = Attempt.objects.filter(outcome="rejected")
    assert set(refused.values_list("error_code", flat=True)) == {70009}
    # Only the calls in progress at that moment.
    assert 0 < refused.count() < 100
    assert not refused.filter(delivery__attempt_count__gt=workers + 1).exists()


def test_a_check_of_members_turns_to_the_next_key(tencent, manager):
    tencent.change_key(NEXT)

    result = check_members(manager, ["g1", "g2"], ["anna"])

    assert [group.group_id for group in result.complete] == ["g1", "g2"]
    assert result.failure is None


def test_when_tencent_takes_neither_key_nothing_is_burnt(tencent, manager):
    tencent.change_key("another one")
    notification = send_to_all(manager)

    work()
    result = check_members(manager, ["g1"], ["anna"])

    notification.refresh_from_db()
    assert (notification.status, notification.paused_code) == ("paused", 70009)
    assert notification.deliveries.counts()["queued"] == GROUPS
    assert result.failure is not None
    assert result.failure.error_code == 70009
    assert len(tencent.journal) == 0
