"""account_check of the sandbox, called by the client; and its clock."""

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


def test_existing_accounts():
    with SandboxServer(SandboxConfig(groups=[GROUP])) as server:
        with client_for(server.url) as client:
            response = client.call(AccountCheck(["administrator", "anna", "ghost"]))

    assert response.data == {"administrator", "anna"}
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
def test_a_wrong_account_has_its_code(wrong, code):
    with SandboxServer(SandboxConfig(groups=[])) as server:
        with client_for(server.url, Account(**wrong)) as client:
            response = client.call(AccountCheck(["administrator"]))

    assert (response.outcome.error_code, response.data) == (code, None)


def test_a_fault_for_the_next_call():
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.fail_next("account_check", "code:60021")
        with client_for(server.url) as client:
            codes = [
                client.call(AccountCheck(["a"])).outcome.error_code for _n in range(2)
            ]

    assert codes == [60021, 0]


@pytest.mark.parametrize(("ahead", "code"), [(0, 0), (-3600, 0), (25 * 3600, 70001)])
def test_the_answer_has_the_date_of_its_clock(ahead, code):
    with SandboxServer(SandboxConfig(groups=[], clock_ahead=ahead)) as server:
        with client_for(server.url) as client:
            response = client.call(AccountCheck(["a"]))
            skew = client.answered_at - time.time()

    assert response.outcome.error_code == code
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
        protocol.check_accounts(body, set())

    assert refused.value.code == code
