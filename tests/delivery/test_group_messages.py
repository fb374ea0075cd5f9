"""Group messages through the worker: results of their own, and their numbers."""

import pytest

from notifications import conf
from notifications.delivery.worker import SendWorker
from notifications.rate_limit.clock import engine_clock
from notifications.tencent.calls.send_group_msg import Receipt
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome, OutcomeKind
from notifications.tencent.responses import Response
from tests.factories import make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db(transaction=True)


def test_smoke(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    calls = []

    def call(_client, call):
        calls.append(call.payload())
        outcome = Outcome(
            OutcomeKind.ACCEPTED, http_status=200, action_status="OK", error_code=0
        )
        return Response(outcome, Receipt(418, 1796043300))

    monkeypatch.setattr(ImClient, "connect", lambda _c: None)
    monkeypatch.setattr(ImClient, "call", call)
    n = make_notification(
        status="sending",
        channel="group_message",
        message_options='{"from_account": "news"}',
    )
    rows = [make_delivery(n, make_group(), channel="group_message") for _ in range(5)]
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=4,
    ).run()
    for row in rows:
        row.refresh_from_db()
        assert (row.status, row.msg_seq, row.msg_time, row.error_code) == (
            "accepted",
            418,
            1796043300,
            0,
        )
    assert {c["Random"] for c in calls} == {r.random for r in rows}
    n.refresh_from_db()
    assert n.status == "completed"
    assert calls[0]["From_Account"] == "news"
