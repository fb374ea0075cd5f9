"""The reading calls: requests of the client, answers of the sandbox."""

import pytest

from notifications.sandbox import group_calls
from notifications.sandbox.groups import SandboxGroup, load_groups
from notifications.sandbox.protocol import RequestRefused
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.calls.get_appid_group_list import GetAppidGroupList
from notifications.tencent.calls.get_group_info import GetGroupInfo, GroupInfo
from notifications.tencent.calls.get_specified_group_member_info import (
    GetSpecifiedGroupMemberInfo,
)
from notifications.tencent.outcomes import OutcomeKind
from tests.tencent.wire import client_for, send

pytestmark = pytest.mark.one_database

GROUPS = {
    group.group_id: group
    for group in [
        SandboxGroup("p1", "Public", "Hikers", "", 12),
        SandboxGroup("l1", "AVChatRoom", "Live", "", 700),
        SandboxGroup("p2", "Public", "", "", 0, frozenset({"anna", "ben"})),
    ]
}


@pytest.fixture
def server():
    config = SandboxConfig(groups=list(GROUPS.values()), lists_per_second=100)
    with SandboxServer(config) as running:
        yield running


@pytest.fixture
def client(server):
    with client_for(server.url) as running:
        yield running


def test_pages_of_the_list(client):
    first = client.call(GetAppidGroupList("", 0, 2))
    second = client.call(GetAppidGroupList("", first.data.next, 2))

    assert first.outcome.kind is OutcomeKind.ACCEPTED
    assert (first.data.group_ids, first.data.total) == (("p1", "l1"), 3)
    assert first.data.next >= 2**32
    assert (second.data.group_ids, second.data.next) == (("p2",), 0)


def test_the_list_of_one_type(client):
    public = client.call(GetAppidGroupList("Public", 0, 10_000)).data
    nothing = client.call(GetAppidGroupList("Community", 0, 10_000)).data

    assert (public.group_ids, public.total, public.next) == (("p1", "p2"), 2, 0)
    assert (nothing.group_ids, nothing.total, nothing.next) == ((), 0, 0)


def test_details_say_of_each_group_whether_it_is_there(client):
    response = client.call(GetGroupInfo(["p1", "gone", "l1", "p2"]))

    assert response.outcome.kind is OutcomeKind.ACCEPTED
    assert response.data == (
        GroupInfo("p1", type="Public", name="Hikers", member_count=12),
        GroupInfo("gone", 10010, "group not exist"),
        GroupInfo("l1", type="AVChatRoom", name="Live", member_count=None),
        GroupInfo("p2", type="Public", name="", member_count=2),
    )


def test_members(client):
    response = client.call(GetSpecifiedGroupMemberInfo("p2", ["ben", "carl"]))
    live = client.call(GetSpecifiedGroupMemberInfo("l1", ["ben"]))
    gone = client.call(GetSpecifiedGroupMemberInfo("gone", ["ben"]))

    assert response.data == {"ben"}
    assert (live.outcome.error_code, live.data) == (10007, None)
    assert (gone.outcome.error_code, gone.data) == (10010, None)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (group_calls.LIST, b"{", 60003),
        (group_calls.LIST, b"[]", 60003),
        (group_calls.LIST, b'{"Limit": 10001}', 10004),
        (group_calls.LIST, b'{"Limit": true}', 10004),
        (group_calls.LIST, b'{"Next": 7}', 10004),
        (group_calls.LIST, b'{"GroupType": "Topic"}', 10004),
        (group_calls.INFO, b'{"GroupIdList": []}', 10004),
        (group_calls.INFO, b'{"GroupIdList": [1]}', 10004),
        (
            group_calls.INFO,
            b'{"GroupIdList": ["%s"]}' % b'","'.join([b"g"] * 51),
            10004,
        ),
        (group_calls.MEMBERS, b'{"GroupId": 1, "Member_List_Account": ["a"]}', 10004),
        (
            group_calls.MEMBERS,
            b'{"GroupId": "a b", "Member_List_Account": ["a"]}',
            10015,
        ),
        (
            group_calls.MEMBERS,
            b'{"GroupId": "p2", "Member_List_Account": ["%s"]}'
            % b'","'.join([b"a"] * 51),
            10005,
        ),
    ],
)
def test_requests_that_are_refused(path, body, code):
    with pytest.raises(RequestRefused) as refused:
        group_calls.fields_of(path, body, GROUPS)

    assert refused.value.code == code


def test_an_id_of_a_wrong_form_has_a_code_of_its_own():
    fields = group_calls.fields_of(
        group_calls.INFO, b'{"GroupIdList": ["a b", "p1"]}', GROUPS
    )

    assert [row["ErrorCode"] for row in fields["GroupInfo"]] == [10015, 0]


def test_an_answer_above_one_megabyte_is_refused():
    # Only IDs longer than documented make an answer that large.
    groups = {str(n): SandboxGroup("g" * 200, "Public") for n in range(10_000)}

    with pytest.raises(RequestRefused) as refused:
        group_calls.fields_of(group_calls.LIST, b"{}", groups)

    assert refused.value.code == 10018


def test_each_call_has_a_window_of_its_own():
    with SandboxServer(SandboxConfig(groups=list(GROUPS.values()))) as server:
        with client_for(server.url) as client:
            for _n in range(2):
                client.call(GetAppidGroupList("", 0, 10))
            client.call(GetGroupInfo(["p1"]))
            client.call(GetSpecifiedGroupMemberInfo("p2", ["ben"]))
            send(client, "p1")

    assert server.calls.codes("get_appid_group_list") == [0, 60007]
    assert server.calls.codes("get_group_info") == [0]
    assert server.calls.most_in_window("get_appid_group_list") == 2
    assert server.calls.most_in_window("get_group_info") == 1
    # The journal holds notices only.
    assert len(server.journal) == 1


def test_faults_for_the_next_calls_of_a_kind(server, client):
    server.fail_next("get_group_info", "code:10002", times=2)
    server.fail_next("get_group_info", "reset_after")
    server.set_fault("p1", "code:10010")  # concerns notices only

    codes = [client.call(GetGroupInfo(["p1"])).outcome.error_code for _n in range(4)]

    assert codes == [10002, 10002, None, 0]
    assert server.calls.codes("get_group_info") == codes
    with pytest.raises(ValueError, match="is no fault"):
        server.fail_next("get_group_info", "explode")


def test_built_in_groups_have_members_to_check():
    groups = {group.group_id: group for group in load_groups()}

    assert groups["@TGS#1LEWCTMBSB"].members == {"anna", "ben", "chen.yu"}
    assert groups["@TGS#1LEWCTMBSB"].size == 32
