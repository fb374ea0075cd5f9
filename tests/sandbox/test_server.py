"""The stand-in's own page, its limit, its files."""

import json
import urllib.error
import urllib.request

import pytest

from notifications.im.client import Endpoint, ImClient
from notifications.im.user_sig import UserSigCache
from notifications.sandbox.faults import check_fault
from notifications.sandbox.groups import load_groups
from notifications.sandbox.protocol import Account
from notifications.sandbox.server import SandboxConfig, SandboxServer


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310  our own
        return response.read().decode()


def client_of(server: SandboxServer) -> ImClient:
    account = Account()
    return ImClient(
        Endpoint(server.url, account.sdk_app_id, account.identifier),
        UserSigCache(account.sdk_app_id, account.key, account.identifier),
    )


def test_the_page_shows_what_members_got_and_escapes_it(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with SandboxServer(SandboxConfig(groups=[], journal_path=journal)) as server:
        server.add_group("g", "Public", name="<b>Hikers</b>")
        client = client_of(server)
        client.send_group_system_notification("g", "Public", "<script>", ["anna"])
        server.set_fault("g", "code:10010")
        client.send_group_system_notification("g", "Public", "no", None)
        client.close()
        page = read(server.url + "/")
        style = read(server.url + "/style.css")
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            read(server.url + "/other")
        missing.value.close()

    assert "&lt;b&gt;Hikers&lt;/b&gt;" in page
    assert "&lt;script&gt;" in page
    assert "to 1 members: anna" in page
    assert "Not shown: code 10010" in page
    assert "<script>" not in page
    assert "color-scheme: light dark" in style
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(line["content"], line["shown"]) for line in lines] == [
        ("<script>", True),
        ("no", False),
    ]


def test_more_calls_than_the_limit_are_refused():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=2)) as server:
        server.add_group("g", "Public")
        client = client_of(server)
        codes = [
            client.send_group_system_notification("g", "Public", "x", None).error_code
            for _n in range(4)
        ]
        client.close()

    assert codes == [0, 0, 60007, 60007]


def test_the_built_in_groups_are_of_all_types():
    groups = load_groups()

    assert len({group.group_id for group in groups}) == len(groups) == 42
    assert {group.type for group in groups} == {
        "Private",
        "Public",
        "ChatRoom",
        "AVChatRoom",
        "BChatRoom",
    }


def test_a_bad_file_names_its_line(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("group_id,type,name,fault\ng,Public,G,\nh,Public,H,explode\n")

    with pytest.raises(ValueError, match="line 3: “explode” is no fault"):
        load_groups(path)


@pytest.mark.parametrize("fault", ["code", "code:x", "slow", "no_answer:1", "x"])
def test_unknown_faults(fault):
    with pytest.raises(ValueError, match="is no fault"):
        check_fault(fault)
