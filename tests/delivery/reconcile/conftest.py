"""For tests of the reconciler: a sandbox, and group messages that are not confirmed.

Fixtures:
    tencent       the sandbox with the groups of ``GROUPS``
    unconfirmed   ``unconfirmed(group_id)`` gives a delivery that is due for a query
    reconcile     runs the reconciler until no query is due
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from notifications import conf
from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Message, Target
from notifications.delivery.reconcile.run import ReconcileRun
from notifications.models import Channel, ChatGroup, Delivery, Notification, Worker
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.factories import make_attempt, make_delivery, make_notification

GROUPS = {"plaza": "Public", "hikers": "Private", "live": "AVChatRoom"}
_randoms = itertools.count(1_000_000)


@pytest.fixture
def tencent(settings: LazySettings) -> Iterator[SandboxServer]:
    groups = [SandboxGroup(group_id, kind) for group_id, kind in GROUPS.items()]
    with SandboxServer(SandboxConfig(groups=groups)) as server:
        settings.IM_BASE_URL = server.url
        yield server


def make_message(**kwargs: Any) -> Notification:
    values = {"status": Notification.Status.COMPLETED, "channel": Channel.GROUP_MESSAGE}
    return make_notification(**values | kwargs)


def make_unconfirmed(
    group_id: str = "plaza",
    *,
    notification: Notification | None = None,
    ago: float = 40,
    **kwargs: Any,
) -> Delivery:
    """An unconfirmed group message of ``ago`` seconds ago, due for its first query."""
    notification = notification or make_message()
    group, _is_new = ChatGroup.objects.get_or_create(
        group_id=group_id,
        defaults={"name": group_id, "type": GROUPS.get(group_id, "Public")},
    )
    ended_at = timezone.now() - timedelta(seconds=ago)
    values = {
        "channel": Channel.GROUP_MESSAGE,
        "random": next(_randoms),
        "status": Delivery.Status.UNCONFIRMED,
        "finished_at": ended_at,
        "next_query_at": timezone.now() - timedelta(milliseconds=10),
    }
    delivery = make_delivery(notification, group, **values | kwargs)
    make_attempt(
        delivery,
        outcome="unconfirmed",
        started_at=ended_at - timedelta(seconds=1),
        finished_at=ended_at,
    )
    return delivery


def store(tencent: SandboxServer, delivery: Delivery) -> None:
    """Send the message of the delivery, as the call without an answer did."""
    client = conf.connection().client()
    message, target = Message.of(delivery.notification), Target.of(delivery)
    response = client.call(CHANNELS[delivery.channel].call(message, target))
    client.close()
    assert response.outcome.error_code == 0


def living_worker() -> int:
    return Worker.objects.create(
        name="w", boot_id="b", lease=0, heartbeat_at=timezone.now()
    ).pk


def make_run(**kwargs: Any) -> ReconcileRun:
    values: dict[str, Any] = {
        "worker_id": lambda: 1,
        "may_go_on": lambda: True,
        "pause": lambda: None,
        "threads": 3,
    }
    return ReconcileRun(conf.connection(), engine_clock(), **values | kwargs)


@pytest.fixture
def reconcile(tencent: SandboxServer) -> Callable[..., None]:
    return lambda **kwargs: make_run(**kwargs).run()
