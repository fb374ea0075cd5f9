"""For tests of recalls and corrections: a notification that a sandbox has, and a worker.

Fixtures:
    sent   a group message to the groups of ``GROUPS``, accepted by the sandbox
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications import conf, permissions
from notifications.delivery.worker import SendWorker
from notifications.models import Channel, Notification
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.messages import State
from notifications.sandbox.server import SandboxServer
from tests.factories import make_delivery, make_group, make_notification, make_user

GROUPS = {"plaza": "Public", "hikers": "Private", "live": "AVChatRoom"}


def work(threads: int = 8) -> None:
    """Run a worker until no work is left."""
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=threads,
    ).run()


def make_sending(sandbox: SandboxServer, **kwargs: object) -> Notification:
    """A group message that no worker has sent yet."""
    values = {"status": "sending", "channel": Channel.GROUP_MESSAGE} | kwargs
    notification = make_notification(**values)
    for group_id, kind in GROUPS.items():
        group = make_group(group_id=group_id, type=kind)
        make_delivery(notification, group, not_before=timezone.now())
        sandbox.add_group(group_id, kind)
    return notification


@pytest.fixture
def manager() -> User:
    return make_user(permissions.COMMUNITY_MANAGER, username="chen.jie")


@pytest.fixture
def sent(sandbox: SandboxServer, settings, tmp_path) -> Notification:
    settings.STATE_DIR = tmp_path
    notification = make_sending(sandbox)
    work()
    notification.refresh_from_db()
    return notification


@pytest.fixture
def states(sandbox: SandboxServer) -> Callable[[], dict[str, str]]:
    """What members of each group see: the text, or nothing after a recall."""

    def texts() -> dict[str, str]:
        return {
            group_id: " / ".join(
                message.text
                for message in sandbox.store.of_group(group_id)
                if message.state is State.THERE
            )
            for group_id in GROUPS
        }

    return texts
