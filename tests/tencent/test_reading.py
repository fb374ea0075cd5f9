"""Parsing the responses of the reading calls, including malformed ones."""

import json

import pytest

from notifications.tencent.calls.account_check import AccountCheck
from notifications.tencent.calls.get_appid_group_list import GetAppidGroupList
from notifications.tencent.calls.get_group_info import GetGroupInfo, GroupInfo
from notifications.tencent.calls.get_specified_group_member_info import (
    GetSpecifiedGroupMemberInfo,
)
from notifications.tencent.outcomes import OutcomeKind, Reason
from tests.tencent.wire import FaultServer, body, client_for

pytestmark = pytest.mark.one_database


def answered(call, **fields):
    """The response, the body and the request line of ``call``, answered with ``fields``."""
    whole = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0} | fields
    with FaultServer(body(json.dumps(whole).encode())) as server:
        with client_for(server.url) as client:
            response = call(client)
    request = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    return response, request, server.requests[0].split(b"?")[0]


def page(client):
    return client.call(GetAppidGroupList("Public", 2**40, 100))


def infos(client):
    return client.call(GetGroupInfo(["g", "h"]))


def member_infos(client):
    return client.call(GetSpecifiedGroupMemberInfo("g", ["anna", "ben"]))


def test_the_list():
    response, request, line = answered(
        page, TotalCount=3, GroupIdList=[{"GroupId": "@TGS#1"}], Next=4454685361
    )

    assert line == b"POST /v4/group_open_http_svc/get_appid_group_list"
    assert request == {"Limit": 100, "Next": 2**40, "GroupType": "Public"}
    assert response.data.group_ids == ("@TGS#1",)
    assert (response.data.next, response.data.total) == (4454685361, 3)


def test_the_list_of_every_type_has_no_filter():
    response, request, _line = answered(
        lambda client: client.call(GetAppidGroupList("", 0, 10_000)),
        TotalCount=0,
        Next=0,
    )

    assert request == {"Limit": 10_000, "Next": 0}
    assert response.data.group_ids == ()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}]},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}], "Next": True},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}], "Next": -1},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}], "Next": 2**63},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}], "Next": "0"},
        {"TotalCount": 1, "Next": 0},
        {"TotalCount": True, "GroupIdList": [], "Next": 0},
        {"TotalCount": 1, "GroupIdList": {"GroupId": "g"}, "Next": 0},
        {"TotalCount": 1, "GroupIdList": ["g"], "Next": 0},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": 1}], "Next": 0},
        {"TotalCount": 1, "GroupIdList": [{"GroupId": ""}], "Next": 0},
        {"TotalCount": 1, "GroupIdList": [{}], "Next": 0},
    ],
)
def test_a_list_of_another_shape_is_no_verdict(fields):
    response, _request, _line = answered(page, **fields)

    assert (response.data, response.outcome.kind) == (None, OutcomeKind.UNCONFIRMED)
    assert response.outcome.reason is Reason.BAD_ANSWER
    assert response.outcome.detail.endswith("is not as documented.")


def test_details():
    response, request, line = answered(
        infos,
        GroupInfo=[
            {"GroupId": "g", "ErrorCode": 0, "Type": "Public", "Name": "Runners",
             "MemberNum": 212},
            {"GroupId": "h", "ErrorCode": 10010, "ErrorInfo": "group not exist"},
        ],
    )  # fmt: skip

    assert line == b"POST /v4/group_open_http_svc/get_group_info"
    assert request == {
        "GroupIdList": ["g", "h"],
        "ResponseFilter": {"GroupBaseInfoFilter": ["Type", "Name", "MemberNum"]},
    }
    assert response.data == (
        GroupInfo("g", type="Public", name="Runners", member_count=212),
        GroupInfo("h", 10010, "group not exist"),
    )


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ({}, GroupInfo("g")),
        ({"Type": 3, "Name": None, "MemberNum": "9"}, GroupInfo("g")),
        ({"MemberNum": True}, GroupInfo("g")),
        ({"MemberNum": -1}, GroupInfo("g")),
        ({"MemberNum": 2**31}, GroupInfo("g")),
        ({"MemberNum": 0}, GroupInfo("g", member_count=0)),
        ({"Name": " 群\n\x00<b> "}, GroupInfo("g", name="群  <b>")),
        ({"Name": "a\ud800b"}, GroupInfo("g", name="a b")),
        ({"ErrorCode": -1, "ErrorInfo": 7}, GroupInfo("g", -1, "7")),
    ],
)
def test_a_group_with_odd_fields(row, read):
    response, _request, _line = answered(infos, GroupInfo=[{"GroupId": "g"} | row])

    assert response.data == (read,)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"GroupInfo": {}},
        {"GroupInfo": [[]]},
        {"GroupInfo": [{"ErrorCode": 0}]},
        {"GroupInfo": [{"GroupId": "g", "ErrorCode": False}]},
        {"GroupInfo": [{"GroupId": "g", "ErrorCode": "0"}]},
        {"GroupInfo": [{"GroupId": "g", "ErrorCode": 2**31}]},
    ],
)
def test_details_of_another_shape_are_no_verdict(fields):
    response, _request, _line = answered(infos, **fields)

    assert (response.data, response.outcome.reason) == (None, Reason.BAD_ANSWER)


def test_members():
    response, request, line = answered(
        member_infos, GroupId="g", MemberList=[{"Member_Account": "anna", "Role": "?"}]
    )
    no_members, _request, _line = answered(member_infos)
    odd, _request, _line = answered(member_infos, MemberList=[{"Member_Account": 1}])

    path = b"POST /v4/group_open_http_svc/get_specified_group_member_info"
    assert line == path
    assert request == {
        "GroupId": "g",
        "Member_List_Account": ["anna", "ben"],
        "MemberInfoFilter": ["Role"],
    }
    assert response.data == {"anna"}
    assert no_members.data == frozenset()
    assert (odd.data, odd.outcome.reason) == (None, Reason.BAD_ANSWER)


def account_check(client):
    return client.call(AccountCheck(["anna", "ghost"])), client.answered_at


def test_accounts():
    (response, at), request, line = answered(
        account_check,
        ResultItem=[
            {"UserID": "anna", "ResultCode": 0, "AccountStatus": "Imported"},
            {"UserID": "ghost", "ResultCode": 0, "AccountStatus": "NotImported"},
        ],
    )
    (odd, _at), _request, _line = answered(account_check, ResultItem={})

    assert line == b"POST /v4/im_open_login_svc/account_check"
    assert request == {"CheckItem": [{"UserID": "anna"}, {"UserID": "ghost"}]}
    assert response.data == {"anna"}
    assert at is None  # the server sent no Date
    assert (odd.data, odd.outcome.reason) == (None, Reason.BAD_ANSWER)


@pytest.mark.parametrize("call", [page, infos, member_infos, account_check])
@pytest.mark.parametrize(("status", "code"), [("FAIL", 0), ("OK", 70009), ("ok", 1)])
def test_a_contradiction_is_no_verdict(call, status, code):
    response, _request, _line = answered(call, ActionStatus=status, ErrorCode=code)
    response = response[0] if isinstance(response, tuple) else response

    assert (response.data, response.outcome.reason) == (None, Reason.CONTRADICTION)
    assert not response.outcome.retry_with_new_signature


def test_an_imported_account_with_a_result_code_is_a_contradiction():
    row = {"UserID": "anna", "ResultCode": 70107, "AccountStatus": "Imported"}
    (response, _at), _request, _line = answered(account_check, ResultItem=[row])

    assert (response.data, response.outcome.reason) == (None, Reason.BAD_ANSWER)


def test_a_refusal_has_no_data():
    response, _request, _line = answered(
        page, ActionStatus="FAIL", ErrorCode=60007, TotalCount=1
    )

    assert (response.outcome.kind, response.outcome.error_code) == ("rejected", 60007)
    assert response.data is None


def test_an_answer_may_have_more_than_a_megabyte_but_not_any_size():
    rows = [{"GroupId": f"{n:048}"} for n in range(10_000)]
    large, _request, _line = answered(page, TotalCount=1, GroupIdList=rows * 2, Next=0)
    endless, _request, _line = answered(
        page, TotalCount=1, GroupIdList=rows * 4, Next=0
    )

    assert len(large.data.group_ids) == 20_000
    assert (endless.data, endless.outcome.reason) == (None, Reason.TOO_LARGE)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: c.call(GetAppidGroupList("", 0, 0)), "A page has 1 to 10000 IDs"),
        (lambda c: c.call(GetAppidGroupList("", 0, 10_001)), "not 10001"),
        (lambda c: c.call(GetGroupInfo([])), "0 values; a call takes 1 to 50"),
        (lambda c: c.call(GetGroupInfo(["g"] * 51)), "51 values"),
        (lambda c: c.call(GetSpecifiedGroupMemberInfo("g", [])), "0 values"),
        (lambda c: c.call(GetSpecifiedGroupMemberInfo("g", ["a"] * 51)), "51 values"),
        (lambda c: c.call(AccountCheck(["a"] * 101)), "1 to 100"),
    ],
)
def test_more_than_a_call_takes_is_refused_before_any_byte(call, sentence):
    with client_for("http://127.0.0.1:9") as client:
        with pytest.raises(ValueError, match=sentence):
            call(client)


def test_no_connection():
    with client_for("http://127.0.0.1:9") as client:
        response = infos(client)

    assert (response.data, response.outcome.reason) == (None, Reason.REFUSED)
