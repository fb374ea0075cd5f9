"""A unique secret key, and a record of every signature made with it.

Fixtures:
    logs        the output of all loggers during the test
    canary      searches logs and recorded places at the end of the test
"""

import io
import logging

import pytest

from notifications.sandbox.protocol import Account
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent import user_sig
from tests.canary.places import Canary
from tests.factories import (
    make_group,
)

FAULTS = {
    "ok": "",
    "gone": "code:10010",
    "busy": "code_times:60007:1",
    "lost": "reset_after",
    "odd": "html",
    "moved": "redirect",
    "proxy": "status_502",
}


@pytest.fixture
def logs():
    """The output of all loggers at level DEBUG, with tracebacks."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.debug("begin")
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def canary(monkeypatch, settings, logs, worker_answers):
    found = Canary()
    make = user_sig.make_user_sig

    def make_and_note(*args, **kwargs):
        made = make(*args, **kwargs)
        found.user_sigs.append(made)
        return made

    monkeypatch.setattr(user_sig, "make_user_sig", make_and_note)
    settings.IM_SECRET_KEY = found.keys[0]
    with SandboxServer(
        SandboxConfig(account=Account(key=found.keys[0]), groups=[])
    ) as server:
        settings.IM_BASE_URL = server.url
        found.server = server
        for group_id, fault in FAULTS.items():
            make_group(group_id=group_id, name="广场 Plaza")
            server.add_group(group_id, "Public", fault=fault)
        yield found
    found.keep("logs", logs.getvalue())
    assert found.places_with_a_secret() == []
