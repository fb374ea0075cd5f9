"""account_check of the stand-in, asked by the client; and its clock."""

import time

import pytest

from notifications.sandbox import protocol
from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.protocol import Account, RequestRefused
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.calls.account_check import AccountCheck
from tests.tencent.wire import client_for

pytestmark = pytest.mark.one_database

GROUP = SandboxGroup("g", "Public", "", "", 0, frozenset({"anna"}))


def test_which_accounts_there_are():
    with SandboxServer(SandboxConfig(groups=[GROUP])) as server:
        with client_for(server.url) as client:
            found = client.call(AccountCheck(["administrator", "anna", "ghost"]))

    assert found.data == {"administrator", "anna"}
    assert server.calls.codes("account_check") == [0]
    assert len(server.journal) == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"sdk_app_id": 1400000001}, 70020),
        ({"key": "0" * 64}, 70009),
        ({"identifier": "nobody"}, 60010),
    ],
)
def test_what_is_wrong_is_told_by_the_code(wrong, code):
    with SandboxServer(SandboxConfig(groups=[])) as server:
        with client_for(server.url, Account(**wrong)) as client:
            found = client.call(AccountCheck(["administrator"]))

    assert (found.outcome.error_code, found.data) == (code, None)


def test_a_fault_for_the_next_call():
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.fail_next("account_check", "code:60021")
        with client_for(server.url) as client:
            codes = [
                client.call(AccountCheck(["a"])).outcome.error_code for _n in range(2)
            ]

    assert codes == [60021, 0]


@pytest.mark.parametrize(("ahead", "code"), [(0, 0), (-3600, 0), (25 * 3600, 70001)])
def test_its_clock_stands_in_the_answer(ahead, code):
    with SandboxServer(SandboxConfig(groups=[], clock_ahead=ahead)) as server:
        with client_for(server.url) as client:
            found = client.call(AccountCheck(["a"]))
            skew = client.answered_at - time.time()

    assert found.outcome.error_code == code
    assert abs(skew - ahead) < 30


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 60003),
        (b"[]", 70402),
        (b'{"CheckItem": {}}', 70402),
        (b'{"CheckItem": ["a"]}', 70402),
        (b'{"CheckItem": [{"UserID": 1}]}', 70402),
        (b'{"CheckItem": []}', 70206),
        (b'{"CheckItem": [%s]}' % b",".join([b'{"UserID": "a"}'] * 101), 70206),
    ],
)
def test_requests_that_are_refused(body, code):
    with pytest.raises(RequestRefused) as refused:
        protocol.fields_of(body, set())

    assert refused.value.code == code
