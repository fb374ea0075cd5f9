"""The check of which named members are in which group."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import permissions
from notifications.compose.services import member_check
from notifications.compose.services.member_check import check_members
from notifications.models import Pace
from notifications.tencent import client as tencent_client
from notifications.tencent.calls.get_specified_group_member_info import (
    GetSpecifiedGroupMemberInfo,
)
from notifications.tencent.outcomes import Reason
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db

CALL = GetSpecifiedGroupMemberInfo.COMMAND
STAFF = [f"user{n}" for n in range(120)]


def add(sandbox, group_id: str, *, kind: str = "Public", there=(), **kwargs):
    sandbox.add_group(group_id, kind, members=there)
    return make_group(
        group_id=group_id, name=group_id.capitalize(), type=kind, **kwargs
    )


def ids(groups) -> list[str]:
    return [group.group_id for group in groups]


def test_who_is_not_in_which_group(manager, sandbox):
    add(sandbox, "hikers", there=["anna", "ben"])
    add(sandbox, "runners", there=["anna", "ben", "li"])
    add(sandbox, "@TGS#_city", kind="Community", there=["li"])

    result = check_members(
        manager,
        ["hikers", "runners", "@TGS#_city", "hikers"],
        ["anna", "li", "ben", "li"],
    )

    assert result.members == 3
    assert ids(result.complete) == ["runners"]
    assert [(g.group_id, missing) for g, missing in result.missing] == [
        ("hikers", ["li"]),
        ("@TGS#_city", ["anna", "ben"]),
    ]
    assert (result.unchecked, result.not_asked, result.failure) == ([], [], None)
    assert sandbox.calls.codes(CALL) == [0, 0, 0]


def test_more_than_fifty_are_asked_for_in_portions(manager, sandbox):
    add(sandbox, "hikers", there=[*STAFF[:49], *STAFF[51:119]])

    result = check_members(manager, ["hikers"], STAFF)

    assert [missing for _group, missing in result.missing] == [
        ["user49", "user50", "user119"]
    ]
    assert sandbox.calls.codes(CALL) == [0, 0, 0]


def test_groups_that_cannot_be_asked_about(manager, sandbox):
    add(sandbox, "live", kind="AVChatRoom")
    add(sandbox, "all", kind="BChatRoom")
    add(sandbox, "off", state="switched_off")
    add(sandbox, "shut", state="closed")
    add(sandbox, "odd", kind="Topic")
    make_group(group_id="gone")
    add(sandbox, "hikers", there=["anna"])

    result = check_members(
        manager, ["live", "all", "off", "shut", "odd", "gone", "hikers"], ["anna"]
    )

    assert ids(result.complete) == ["hikers"]
    assert [
        (row.group.group_id, row.outcome and row.outcome.error_code)
        for row in result.unchecked
    ] == [
        ("live", None),
        ("all", None),
        ("off", None),
        ("shut", None),
        ("odd", None),
        ("gone", 10010),
    ]
    assert sandbox.calls.codes(CALL) == [10010, 0]


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("code:70009", 70009, None),  # the key is wrong
        ("code:60017", 60017, None),  # the app may not
        ("code:60007", 60007, None),  # too often
        ("html", None, Reason.BAD_ANSWER),
        ("ok_with_code:10010", None, Reason.CONTRADICTION),
        ("reset_after", None, Reason.CONNECTION_LOST),
    ],
)
def test_a_failure_that_does_not_concern_a_group_ends_the_check(
    manager, sandbox, fault, code, reason
):
    for name in ("hikers", "live", "runners"):
        add(
            sandbox,
            name,
            there=["anna"],
            kind="AVChatRoom" if name == "live" else "Public",
        )
    sandbox.fail_next(CALL, fault)

    result = check_members(manager, ["hikers", "live", "runners"], ["anna"])

    assert result.failure is not None
    assert (result.failure.error_code, result.failure.reason) == (code, reason)
    assert (result.complete, result.missing, result.unchecked) == ([], [], [])
    assert ids(result.not_asked) == ["hikers", "runners"]
    assert len(sandbox.calls.codes(CALL)) == 1


def test_after_too_often_the_next_calls_are_slower(manager, sandbox):
    add(sandbox, "hikers", there=["anna"])
    sandbox.fail_next(CALL, "code:60007")

    check_members(manager, ["hikers"], ["anna"])

    row = Pace.objects.get(name=f"1400000000:{CALL}")
    assert row.slow_until > row.next_slot


def test_connection_refused(manager, settings):
    settings.IM_BASE_URL = "http://127.0.0.1:9"
    make_group(group_id="hikers")

    result = check_members(manager, ["hikers"], ["anna"])

    assert result.failure is not None
    assert result.failure.reason is Reason.REFUSED
    assert ids(result.not_asked) == ["hikers"]


def test_groups_that_remain_when_time_is_up(manager, sandbox):
    for name in ("hikers", "runners"):
        add(sandbox, name, there=["anna"])

    result = check_members(
        manager, ["hikers", "runners"], ["anna"], max_start_delay=0.0
    )

    assert ids(result.not_asked) == ["hikers", "runners"]
    assert (result.complete, result.failure) == ([], None)
    assert sandbox.calls.codes(CALL) == []


def test_all_processes_share_the_pace_of_this_call(manager, sandbox):
    """A slot that another process took is not used again."""
    add(sandbox, "hikers", there=["anna"])
    check_members(manager, ["hikers"], ["anna"])
    row = Pace.objects.get()
    assert row.name == f"1400000000:{CALL}"
    before = row.next_slot

    check_members(manager, ["hikers"], ["anna"])

    row.refresh_from_db()
    assert row.next_slot >= before + 1 / (
        GetSpecifiedGroupMemberInfo.CALLS_PER_SECOND * 0.95
    )


@pytest.mark.parametrize(
    ("group_ids", "member_ids", "sentence"),
    [
        ([], ["anna"], "Choose the groups first."),
        (
            [f"g{n}" for n in range(21)],
            ["anna"],
            "21 groups are chosen; members can be checked for 20 at most. Choose fewer.",
        ),
        (
            ["hikers", "nowhere"],
            ["anna"],
            "“nowhere” is not in the list of groups. Remove it.",
        ),
        (["x\0"], ["anna"], "“x\0” is not in the list of groups. Remove it."),
        (
            ["hikers"],
            [],
            "Enter at least one member ID, or pick “Everyone in the group”.",
        ),
        (["hikers"], ["王五"], "Not a member ID: 王五"),
        (
            ["hikers"],
            [f"u{n}" for n in range(501)],
            "501 IDs entered; the limit is 500.",
        ),
    ],
)
def test_what_cannot_be_asked(manager, sandbox, group_ids, member_ids, sentence):
    add(sandbox, "hikers")

    with pytest.raises(ValidationError) as refused:
        check_members(manager, group_ids, member_ids)

    assert refused.value.messages == [sentence]
    assert sandbox.calls.codes(CALL) == []


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
def test_who_may_not_send_may_not_ask(role, sandbox):
    add(sandbox, "hikers")
    user = make_user(role, username="wang.fang")

    with pytest.raises(PermissionDenied):
        check_members(user, ["hikers"], ["anna"])

    assert sandbox.calls.codes(CALL) == []


def test_the_client_has_short_timeouts_and_is_closed(manager, sandbox, monkeypatch):
    add(sandbox, "hikers", there=["anna"])
    made = []
    build = member_check.conf.Connection.client

    def client(connection):
        made.append((connection.endpoint, build(connection)))
        return made[-1][1]

    monkeypatch.setattr(member_check.conf.Connection, "client", client)
    closed = []

    def close(client):
        closed.append(client)

    monkeypatch.setattr(tencent_client.ImClient, "close", close)

    check_members(manager, ["hikers"], ["anna"])

    ((endpoint, client_of_the_check),) = made
    assert closed[-1] is client_of_the_check
    assert len(closed) == len(made)
    assert (
        endpoint.connect_timeout,
        endpoint.read_timeout,
        endpoint.total_deadline,
    ) == (2.0, 3.0, 3.0)
