"""The journal of the sandbox, its rate limit, its files."""

import contextlib
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest

from notifications.sandbox.groups import load_groups
from notifications.sandbox.journal import MAX_LATEST
from notifications.sandbox.protocol import Account, RequestRefused, check_user_sig
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.user_sig import make_user_sig
from tests.tencent.wire import client_for, send

pytestmark = pytest.mark.one_database


def test_the_journal_is_exact_in_memory_and_on_disk(tmp_path):
    """The totals, the file and the answers agree after calls of many threads."""
    path = tmp_path / "journal.jsonl"
    config = SandboxConfig(groups=[], journal_path=path, calls_per_second=10**6)
    answers: list[tuple[str, int | None]] = []
    with SandboxServer(config) as server:
        server.add_group("ok", "Public")
        server.add_group("gone", "Public", fault="code:10010")

        def call_often(thread: int) -> None:
            with client_for(server.url) as client:
                for number in range(40):
                    group_id = "gone" if number % 4 == 0 else "ok"
                    text = f"{thread}/{number}"
                    outcome = send(client, group_id, text)
                    answers.append((text, outcome.error_code))

        threads = [threading.Thread(target=call_often, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        written = [(entry.content, entry.error_code) for entry in server.journal]
        latest = server.journal.latest("gone")

    assert sorted(written) == sorted(answers)
    assert (len(written), server.journal.shown) == (640, 480)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["content"], line["error_code"]) for line in lines] == written
    assert [entry.content for entry in latest] == [
        entry.content for entry in server.journal.calls_for("gone")
    ][: -MAX_LATEST - 1 : -1]


def test_a_signature_is_remembered_but_not_beyond_its_end():
    account = Account(key="remembered")
    user_sig = make_user_sig(
        account.sdk_app_id, account.key, account.identifier, now=1000, valid_for=60
    )

    check_user_sig(user_sig, account, 1060)
    with pytest.raises(RequestRefused, match="expired"):
        check_user_sig(user_sig, account, 1061)
    assert account.key not in repr(account)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST /v4/x SPDY/1\r\n\r\n",
        b"POST /v4/x HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /v4/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v4/x HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /v4/x HTTP/1.1\r\n" + b"a: b\r\n" * 200_000,
    ],
)
def test_what_is_no_request_is_dropped(request_bytes):
    with SandboxServer(SandboxConfig(groups=[])) as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.settimeout(10)
            with contextlib.suppress(ConnectionError):
                connection.sendall(request_bytes)
                assert connection.recv(1) == b""

        assert len(server.journal) == 0


def test_more_calls_than_the_limit_are_refused():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=2)) as server:
        server.add_group("g", "Public")
        with client_for(server.url) as client:
            codes = [send(client).error_code for _n in range(4)]

    assert codes == [0, 0, 60007, 60007]


def test_the_built_in_groups_are_of_all_types():
    groups = load_groups()

    assert len({group.group_id for group in groups}) == len(groups) == 45
    assert {group.type for group in groups} == {
        "Private",
        "Public",
        "ChatRoom",
        "AVChatRoom",
        "BChatRoom",
        "Community",
        "Topic",  # one that came after us
    }


def test_a_bad_file_names_its_line(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("group_id,type,name,fault\ng,Public,G,\nh,Public,H,explode\n")

    with pytest.raises(ValueError, match="line 3: “explode” is no fault"):
        load_groups(path)


def test_faults_of_single_calls_in_a_file(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text(
        "group_id,type,name,fault\n"
        "g,Public,G,code:10010 group_msg_recall=ret_code:10032\n"
        "h,Public,H,group_msg_recall=drip modify_group_msg=slow:5\n"
    )

    groups = load_groups(path)

    assert groups[0].fault == "code:10010"
    assert groups[0].call_faults == {"group_msg_recall": "ret_code:10032"}
    assert [group.describe_faults() for group in groups] == [
        "code:10010 group_msg_recall=ret_code:10032",
        "group_msg_recall=drip modify_group_msg=slow:5",
    ]
    for fault in ("=drip", "get_group_info=drip", "group_msg_recall=explode"):
        path.write_text(f"group_id,type,name,fault\ng,Public,G,{fault}\n")
        with pytest.raises(ValueError, match="line 2"):
            load_groups(path)


def test_a_mistake_in_the_sandbox_is_printed(monkeypatch, capfd):
    def fail(*_args: object) -> None:
        raise KeyError("mistake")

    monkeypatch.setattr("notifications.sandbox.page.respond", fail)
    with SandboxServer(SandboxConfig(groups=[])) as server:
        port = urlsplit(server.url).port
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(10) == b""

    assert "KeyError: 'mistake'" in capfd.readouterr().err
