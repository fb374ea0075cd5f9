"""Five thousand calls with random faults: a received call is never "not sent".

The journal of the sandbox proves which requests arrived; for faults before the request,
the servers' counts prove that none arrived. Each call has a unique text.
"""

import random
import socket
import threading
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from notifications.sandbox.faults import FAULTS
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from tests.tencent.wire import (
    ACCEPTED,
    BAD,
    CA_FILE,
    CONTRADICTION,
    IMPATIENT,
    LARGE,
    LOST,
    OK,
    REJECTED,
    SILENT,
    STATUS,
    FaultServer,
    ProxyServer,
    body,
    client_for,
    end_of,
    not_sent,
    send,
)

pytestmark = pytest.mark.one_database

CALLS = 5000
THREADS = 8

# Faults of the sandbox that end at once.
ANSWERED = {
    "": ACCEPTED,
    "code:10010": REJECTED,
    "code_times:60007:9999": REJECTED,
    "shown_then_code:10002": REJECTED,
    "slow:5": ACCEPTED,
    "no_length_close": ACCEPTED,
    "chunked": ACCEPTED,
    "close_idle": ACCEPTED,
    "reset_before": LOST,
    "redirect": STATUS,
    "reset_after": LOST,
    "close_after": LOST,
    "shown_late:5": LOST,
    "half_close": LOST,
    "close_in_head": BAD,
    "close_in_body": LOST,
    "truncated": LOST,
    "no_length_cut": BAD,
    "chunked_truncated": LOST,
    "chunked_garbage": LOST,
    "garbage": LOST,
    "html": BAD,
    "empty_body": BAD,
    "wrong_json_types": BAD,
    "bool_code": BAD,
    "fail_with_0": CONTRADICTION,
    "ok_with_code:10010": CONTRADICTION,
    "odd_action_status": BAD,
    "no_action_status": ACCEPTED,
    "json_list": BAD,
    "packed_body": BAD,
    "status:301": STATUS,
    "status:404": STATUS,
    "status_502": STATUS,
    "endless": LARGE,
}
# Faults of the sandbox that a timeout of the client ends.
NEVER_ENDING = {
    "no_answer": SILENT,
    "silent_before": SILENT,
    "stall_in_body": SILENT,
    "drip": SILENT,
    "drip_head": SILENT,
}
# Faults before the request, each at its own address.
BEFORE = {
    "refused": not_sent(Reason.REFUSED),
    "dns": not_sent(Reason.DNS),
    "connect timeout": not_sent(Reason.CONNECT_TIMEOUT),
    "tls to a plain port": not_sent(Reason.TLS),
    "tls, unknown signer": not_sent(Reason.TLS),
    "tls, other name": not_sent(Reason.TLS),
    "tls, expired": not_sent(Reason.TLS),
    "proxy says 502": not_sent(Reason.CONNECT_FAILED),
    "proxy refused": not_sent(Reason.REFUSED),
}
# A request in clear text to a TLS port: the server may have read it.
TO_TLS_PORT = "plain to a tls port"


@dataclass
class Addresses:
    """The endpoints of the calls: keyword arguments of ``client_for`` by name."""

    sandbox: SandboxServer
    strangers: list[FaultServer] = field(default_factory=list)
    arguments: dict[str, dict[str, object]] = field(default_factory=dict)


@pytest.fixture
def addresses(monkeypatch):
    with ExitStack() as stack:
        sandbox = stack.enter_context(
            SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6))
        )
        for name in (*ANSWERED, *NEVER_ENDING):
            sandbox.add_group(f"g-{name}", "Public", fault=name)
        addresses = Addresses(sandbox)
        safe = {}
        for certificate in ("right", "other_name", "expired"):
            safe[certificate] = stack.enter_context(
                FaultServer(body(OK), tls=certificate)
            )
            addresses.strangers.append(safe[certificate])
        proxy = stack.enter_context(
            ProxyServer(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n")
        )
        refused = _refused()
        ca = {"ca_file": CA_FILE}
        addresses.arguments = {
            "": {"url": sandbox.url},
            "never ending": {"url": sandbox.url, **IMPATIENT},
            "refused": {"url": refused},
            "dns": {"url": "https://im.invalid"},
            "connect timeout": {"url": _full(stack), "connect_timeout": 0.05},
            "tls to a plain port": {
                "url": sandbox.url.replace("http:", "https:"),
            },
            "tls, unknown signer": {"url": safe["right"].url},
            "tls, other name": {"url": safe["other_name"].url, **ca},
            "tls, expired": {"url": safe["expired"].url, **ca},
            "proxy says 502": {
                "url": safe["right"].url,
                "proxy_url": proxy.url,
                **ca,
            },
            "proxy refused": {
                "url": safe["right"].url,
                "proxy_url": refused,
                **ca,
            },
            TO_TLS_PORT: {"url": safe["right"].url.replace("https:", "http:")},
        }
        resolve = socket.getaddrinfo

        def resolve_all_but_one(host, *args, **kwargs):
            if host == "im.invalid":
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            return resolve(host, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", resolve_all_but_one)
        yield addresses


def _refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _full(stack: ExitStack) -> str:
    """An address whose queue of connections is full and never served."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _n in range(3):
        filler = stack.enter_context(socket.socket())
        filler.settimeout(0)
        filler.connect_ex(listener.getsockname())
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class Caller:
    """One thread with a client per address, so that connections persist and go stale."""

    def __init__(self, number: int, seed: int, addresses: Addresses) -> None:
        self.number = number
        self.order = random.Random(seed + number)
        self.addresses = addresses
        self.clients: dict[str, ImClient] = {}
        self.kinds: Counter[str] = Counter()
        self.outcomes: dict[str, Outcome] = {}  # by the text of the call
        self.wrong: list[str] = []
        self.closed_behind_us = False

    def run(self) -> None:
        with ExitStack() as stack:
            for name, arguments in self.addresses.arguments.items():
                self.clients[name] = stack.enter_context(client_for(**arguments))
            for call in range(CALLS // THREADS):
                self._call(self._choice(), f"{self.number}/{call}")

    def _choice(self) -> str:
        """Half of the calls succeed, so that connections persist between faults."""
        chance = self.order.random()
        if chance < 0.5:
            return ""
        if chance < 0.95:
            return self.order.choice([*ANSWERED, *BEFORE, TO_TLS_PORT])
        return self.order.choice(list(NEVER_ENDING))

    def _call(self, kind: str, text: str) -> None:
        if kind in ANSWERED or kind in NEVER_ENDING:
            client = self.clients["" if kind in ANSWERED else "never ending"]
            outcome = send(client, f"g-{kind}", text)
        else:
            outcome = send(self.clients[kind], "g-", text)
        self.kinds[kind] += 1
        self.outcomes[text] = outcome
        if end_of(outcome) not in self._allowed(kind):
            self.wrong.append(f"{text}, {kind!r}: {outcome}")
        if kind in ANSWERED:
            self.closed_behind_us = kind == "close_idle"

    def _allowed(self, kind: str) -> list[tuple[OutcomeKind, Reason | None]]:
        if kind == TO_TLS_PORT:
            return [LOST, SILENT]
        expected = (ANSWERED | NEVER_ENDING | BEFORE)[kind]
        # The server closed the connection while the client sent the next request.
        stale = self.closed_behind_us and kind in ANSWERED
        return [expected, LOST] if stale else [expected]


def test_what_was_received_is_never_called_not_sent(addresses):
    seed = random.randrange(2**32)
    callers = [Caller(number, seed, addresses) for number in range(THREADS)]
    threads = [threading.Thread(target=caller.run) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    outcomes = {
        text: one for caller in callers for text, one in caller.outcomes.items()
    }
    received = Counter(entry.content for entry in addresses.sandbox.journal)
    assert len(outcomes) == CALLS
    assert [line for caller in callers for line in caller.wrong] == [], f"seed {seed}"
    # No call was made twice, no received call is "not sent", no verdict is invented.
    assert set(received.values()) == {1}
    for text, outcome in outcomes.items():
        if outcome.kind is OutcomeKind.NOT_SENT:
            assert text not in received, f"{text}, seed {seed}"
        if outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED):
            assert text in received, f"{text}, seed {seed}"
    for stranger in addresses.strangers:
        assert stranger.received == 0
    kinds = sum((caller.kinds for caller in callers), Counter())
    assert kinds.keys() == {*ANSWERED, *NEVER_ENDING, *BEFORE, TO_TLS_PORT}


def test_every_fault_of_the_stand_in_is_among_the_kinds():
    named = {fault.partition(":")[0] for fault in (*ANSWERED, *NEVER_ENDING)}
    of_recalls = {"ret_code", "shown_then_ret_code"}

    assert named == {"", *FAULTS} - of_recalls
