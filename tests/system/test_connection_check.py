"""The connection check: failed steps, the audit entry, and the minimum interval."""

import fcntl
import os
import socket
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.models import AuditEntry
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.system.audit_events import CONNECTION_CHECKED
from notifications.system.connection import CheckStep, StepResult, StepState
from notifications.system.connection_check import (
    answer,
    check_connection_by,
    last_check,
    request_check,
)
from tests.factories import make_user
from tests.tencent.wire import CA_FILE, OK, FaultServer, ProxyServer, body

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

P, F, N = StepState.PASSED, StepState.FAILED, StepState.NOT_REACHED
UP_TO_TLS = [P, P, P, P]


def checked() -> tuple[list[StepState], StepResult | None]:
    """The state of each step, and the first that failed."""
    results = check_connection_by("operator")
    assert [result.step for result in results] == list(CheckStep)
    failed = [result for result in results if result.state is F]
    return [result.state for result in results], failed[0] if failed else None


def test_all_is_well(sandbox):
    user = make_user(permissions.SYSTEM_ADMINISTRATOR)

    assert answer(user, {}) == {}

    results = last_check().results
    assert [result.state for result in results] == [P] * 9
    assert sandbox.calls.codes("account_check") == [0]
    assert len(sandbox.journal) == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("connection_checked", "lin.mei")
    assert entry.detail["result"] == "passed"
    last = last_check()
    assert (last.at, last.actor) == (entry.at, "lin.mei")


@pytest.mark.parametrize(
    "role", [None, permissions.COMMUNITY_MANAGER, permissions.AUDITOR]
)
def test_who_may_not_see_the_system_may_not_check(sandbox, role):
    user = make_user(role)
    for use_case in (request_check, lambda user: answer(user, {})):
        with pytest.raises(PermissionDenied):
            use_case(user)

    assert sandbox.calls.codes("account_check") == []
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "states", "finding"),
    [
        ("IM_SDK_APP_ID", "", [F], "settings_problems"),
        ("IM_REGION", "mars", [F], "settings_problems"),
        ("IM_BASE_URL", "https://a..b", [F], "settings_problems"),
        ("IM_BASE_URL", "https://im.invalid", [P, F], "host_no_address"),
        ("IM_BASE_URL", "http://127.0.0.1:9", [P, P, F], "connection_refused"),
    ],
)
def test_the_first_steps(settings, monkeypatch, name, value, states, finding):
    if value == "https://im.invalid":
        monkeypatch.setattr(socket, "getaddrinfo", _no_name)
    settings.IM_BASE_URL = "" if name == "IM_REGION" else settings.IM_BASE_URL
    setattr(settings, name, value)

    steps, failed = checked()

    assert steps == states + [N] * (9 - len(states))
    assert failed.finding == finding


def _no_name(*_args: object, **_kwargs: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "not known")


def test_a_certificate_that_only_the_machine_knows(sandbox, settings, monkeypatch):
    """The check and the worker trust the same certificates."""
    monkeypatch.setenv("SSL_CERT_FILE", CA_FILE)
    answer = b'{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[]}'
    with FaultServer(body(answer), tls="right") as server:
        settings.IM_BASE_URL = server.url
        steps, failed = checked()

    # The server sends no date.
    assert (steps, failed) == ([P, P, P, P, P, N, P, P, P], None)


def test_a_certificate_of_a_firewall(settings):
    with FaultServer(body(OK), tls="right") as server:
        settings.IM_BASE_URL = server.url
        steps, failed = checked()

    assert steps == [P, P, P, F, N, N, N, N, N]
    assert failed.finding == "tls_untrusted"


def test_a_safe_connection_through_a_proxy(settings):
    settings.IM_CA_FILE = CA_FILE
    with FaultServer(body(OK), tls="right") as server, ProxyServer() as proxy:
        settings.IM_BASE_URL, settings.IM_PROXY_URL = server.url, proxy.url
        results = check_connection_by("operator")

    # This response is not one of account_check, so it is no verdict.
    assert [result.state for result in results] == [P, P, P, P, F, N, N, N, N]
    assert results[2].finding == "connection_proxy"
    assert results[3].values["days"] > 10_000


def test_a_proxy_that_asks_for_a_password(settings):
    reply = b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"
    settings.IM_BASE_URL = "https://console.tim.qq.com"
    with ProxyServer(reply) as proxy:
        settings.IM_PROXY_URL = proxy.url.replace("//", "//me:secret-word@")
        steps, failed = checked()

    assert steps[:3] == [P, P, F]
    assert (failed.finding, failed.values["status"]) == (
        "connection_proxy_refused",
        407,
    )
    assert "secret-word" not in str(AuditEntry.objects.get().detail)


@pytest.mark.parametrize(
    ("wrong", "states", "code"),
    [
        ({"IM_SDK_APP_ID": "1400000001"}, [P, P, F, N, N], 70020),
        ({"IM_SECRET_KEY": "0" * 64}, [P, P, P, F, N], 70009),
        ({"IM_ADMIN_ACCOUNT": "nobody"}, [P, P, P, N, F], 60010),
    ],
)
def test_what_tencents_code_is_about(sandbox, settings, wrong, states, code):
    for name, value in wrong.items():
        setattr(settings, name, value)

    steps, failed = checked()

    assert steps == UP_TO_TLS + states
    assert (failed.finding, failed.values["code"]) == ("code", code)
    detail = AuditEntry.objects.get().detail
    assert (detail["result"], detail["step"]) == ("failed", failed.step)
    assert settings.IM_SECRET_KEY not in str(detail)


@pytest.mark.parametrize(
    ("fault", "states", "finding"),
    [
        ("code:60021", [F, P, N, N, N], "code"),
        ("code:60017", [P, P, P, N, F], "code"),
        ("code:70014", [P, P, F, N, N], "code"),
        ("code:424242", [F, P, N, N, N], "code"),
        ("html", [F, N, N, N, N], "no_verdict"),
        ("fail_with_0", [F, N, N, N, N], "no_verdict"),
        ("ok_with_code:70009", [F, N, N, N, N], "no_verdict"),
        ("status_502", [F, N, N, N, N], "no_verdict"),
        ("close_after", [F, N, N, N, N], "no_verdict"),
    ],
)
def test_other_answers(sandbox, fault, states, finding):
    sandbox.fail_next("account_check", fault)

    steps, failed = checked()

    assert steps == UP_TO_TLS + states
    assert failed.finding == finding


@pytest.mark.parametrize(
    ("ahead", "states", "finding"),
    [
        (-3600, [P, F, P, P, P], "clock_ahead"),
        (3600, [P, F, P, P, P], "clock_behind"),
        (25 * 3600, [P, F, P, N, N], "code"),  # the signature has expired there
    ],
)
def test_clocks_that_differ(settings, ahead, states, finding):
    with SandboxServer(SandboxConfig(clock_ahead=ahead)) as server:
        settings.IM_BASE_URL = server.url
        steps, failed = checked()

    assert steps == UP_TO_TLS + states
    assert failed.finding == finding


def test_a_minimum_interval(sandbox):
    before = timezone.now() - timedelta(seconds=5)
    audit_log.write(CONNECTION_CHECKED, "operator", at=before, steps=[])

    check_connection_by("operator")
    with pytest.raises(ValidationError, match="a moment ago"):
        check_connection_by("operator")

    assert sandbox.calls.codes("account_check") == [0]


def test_one_check_at_a_time(sandbox, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ValidationError, match="being checked already"):
        check_connection_by("operator")
    os.close(folder)

    check_connection_by("operator")
    assert sandbox.calls.codes("account_check") == [0]


@pytest.mark.parametrize(
    ("key", "states"), [("f" * 64, [P] * 5), ("another one", [P, P, P, F, N])]
)
def test_the_next_key_is_tried_as_well(sandbox, settings, key, states):
    settings.IM_SECRET_KEY_NEXT = "f" * 64
    sandbox.change_key(key)

    assert checked()[0] == UP_TO_TLS + states
