"""For tests of the sync: a stand-in with an empty list, and no waiting.

Fixtures:
    tencent     the stand-in; its list may be asked for as often as we like
    run_sync    ``run_sync(sync=None)`` brings a run to its end and gives its row
"""

from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings

from notifications import conf
from notifications.groups.sync.run import Run
from notifications.models import GroupSync
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.server import SandboxConfig, SandboxServer


@pytest.fixture
def tencent(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SandboxServer]:
    monkeypatch.setattr("notifications.groups.sync.run.LISTS_PER_SECOND", 500.0)
    monkeypatch.setattr("notifications.groups.sync.run.THREADS", 3)
    monkeypatch.setattr("notifications.groups.sync.retry.backoff", lambda *_: 0.001)
    config = SandboxConfig(groups=[], lists_per_second=10**6)
    with SandboxServer(config) as server:
        settings.IM_BASE_URL = server.url
        yield server


@pytest.fixture
def run_sync(tencent: SandboxServer) -> Callable[..., GroupSync]:
    def run(
        sync: GroupSync | None = None, rounds: int | None = None, **kwargs: object
    ) -> GroupSync:
        """``rounds``: as if the worker was killed after so many."""
        sync = sync or GroupSync.objects.create(requested_by="lin.mei")
        left = iter(range(rounds)) if rounds is not None else None
        Run(
            sync,
            conf.connection(),
            engine_clock(),
            actor="worker 7",
            may_go_on=lambda: left is None or next(left, None) is not None,
            pause=lambda: None,
        ).go()
        sync.refresh_from_db()
        return sync

    return run
