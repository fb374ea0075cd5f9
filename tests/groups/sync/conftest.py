"""For tests of the sync: a stand-in with an empty list, and no waiting.

Fixtures:
    tencent     the stand-in; its list may be asked for as often as we like
    run_sync    ``run_sync(sync=None)`` brings a run to its end and gives its row
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings

from notifications import conf
from notifications.groups.sync.run import SyncRun
from notifications.models import GroupSync
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.server import SandboxConfig, SandboxServer

# A run without waiting.
quick_run = partial(
    SyncRun, threads=3, lists_per_second=500.0, backoff=lambda *_failure: 0.001
)


@pytest.fixture
def tencent(settings: LazySettings) -> Iterator[SandboxServer]:
    config = SandboxConfig(groups=[], lists_per_second=10**6)
    with SandboxServer(config) as server:
        settings.IM_BASE_URL = server.url
        yield server


@pytest.fixture
def run_sync(tencent: SandboxServer) -> Callable[..., GroupSync]:
    def run(
        sync: GroupSync | None = None, rounds: int | None = None, **options: Any
    ) -> GroupSync:
        """``rounds``: as if the worker was killed after so many."""
        sync = sync or GroupSync.objects.create(requested_by="lin.mei")
        left = iter(range(rounds)) if rounds is not None else None
        quick_run(
            sync,
            conf.connection(),
            engine_clock(),
            actor="worker 7",
            may_go_on=lambda: left is None or next(left, None) is not None,
            pause=lambda: None,
            **options,
        ).run()
        sync.refresh_from_db()
        return sync

    return run
