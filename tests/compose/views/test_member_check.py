"""“Check these members” on the Write page: its sentences, and that no input is lost."""

import re
from functools import partial
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import permissions
from notifications.compose.services import member_check
from notifications.compose.views import member_check as views
from notifications.delivery import requests
from notifications.management.commands.send_worker import HANDLERS
from notifications.models import AuditEntry, LoginSession, Notification, WorkerRequest
from tests.factories import (
    make_group,
    make_notification,
    make_user,
    write_fields,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database,
    pytest.mark.usefixtures("worker_answers"),
]

CALL = "get_specified_group_member_info"
LIVE = {"type": "AVChatRoom", "name": "Friday show"}


@pytest.fixture
def client(log_in):
    return log_in(make_user(permissions.COMMUNITY_MANAGER))


@pytest.fixture
def groups(sandbox):
    for group_id, name, members in (
        ("hikers", "Weekend hikers", ["anna", "ben"]),
        ("runners", "North gate", ["anna", "ben", "li"]),
    ):
        make_group(group_id=group_id, name=name)
        sandbox.add_group(group_id, "Public", members=members)


@pytest.fixture
def no_time(monkeypatch):
    """The time to ask Tencent is up before the first call."""
    monkeypatch.setattr(
        member_check,
        "check_members",
        partial(member_check.check_members, max_start_delay=0.0),
    )


def check(client, address="/write/", **fields):
    values = {"members": "named", "check_members": "1", "content": ""}
    return client.post(address, write_fields(**values | fields))


def sentences_of(page) -> list[str]:
    assert page.status_code == 200
    return [line.sentence for line in page.context["members_checked"]]


@pytest.mark.parametrize(
    ("chosen", "recipients", "sentences"),
    [
        ("hikers", "anna", ["This is a member of the group."]),
        ("hikers runners", "anna", ["This is a member of the 2 groups."]),
        ("hikers", "anna, ben", ["All 2 are members of the group."]),
        ("hikers, runners", "anna\nben", ["All 2 are members of the 2 groups."]),
        ("hikers", "anna, wang.wu, zhao", ["Not in “Weekend hikers”: wang.wu, zhao."]),
        (
            "hikers runners",
            "anna li",
            ["Not in “Weekend hikers”: li.", "Nobody is missing in: North gate."],
        ),
    ],
)
def test_who_is_a_member_and_who_is_not(client, groups, chosen, recipients, sentences):
    page = check(client, groups=chosen, recipients=recipients)

    assert sentences_of(page) == sentences
    html = unescape(page.content.decode())
    for sentence in sentences:
        assert sentence in html


def test_more_than_can_be_read_are_counted(client, groups):
    recipients = " ".join(f"u{n}" for n in range(60))

    (sentence,) = sentences_of(check(client, groups="hikers", recipients=recipients))

    assert sentence.endswith("u48, u49 and 10 more.")


def test_groups_that_are_not_checked(client, groups, sandbox):
    make_group(group_id="live", **LIVE)
    make_group(group_id="off", name="Old town", state="switched_off")
    make_group(group_id="gone", name="Plant swap")

    page = check(client, groups="live off gone runners", recipients="anna")

    assert sentences_of(page) == [
        "“Friday show” can only be sent to everyone.",
        "“Old town” cannot be sent to now. Remove it.",
        "“Plant swap” could not be checked: This group no longer exists. (10010)",
        "Nobody is missing in: North gate.",
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            "code:70009",
            "The secret key does not belong to this app. (70009) Ask whoever runs this "
            "console to check IM_SDK_APP_ID, IM_ADMIN_ACCOUNT, IM_SECRET_KEY and "
            "IM_REGION; then try again.",
        ),
        (
            "code:60007",
            "The chat service says that calls come too often. (60007) Try again in a "
            "moment.",
        ),
        ("html", "The answer could not be read. Try again in a moment."),
    ],
)
def test_a_failure_has_a_remedy(client, groups, sandbox, fault, sentence):
    sandbox.fail_next(CALL, fault)

    assert sentences_of(check(client, groups="hikers runners", recipients="anna")) == [
        sentence,
        "Not asked about: Weekend hikers, North gate.",
    ]


def test_when_there_was_no_time(client, groups, no_time):
    assert sentences_of(check(client, groups="hikers runners", recipients="anna")) == [
        "No time was left to ask about: Weekend hikers, North gate. Choose fewer groups."
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"audience": "every"}, "To check members, choose the groups one by one."),
        ({"groups": ""}, "Choose the groups first."),
        (
            {"recipients": ""},
            "Enter at least one member ID, or pick “Everyone in the group”.",
        ),
    ],
)
def test_errors_are_beside_the_field(client, groups, fields, sentence):
    assert sentences_of(
        check(client, **{"groups": "hikers", "recipients": "anna"} | fields)
    ) == [sentence]


@pytest.fixture
def no_answer(monkeypatch):
    monkeypatch.setattr(requests, "wait", lambda: None)
    monkeypatch.setattr(member_check, "ANSWER_SECONDS", 0.01)


def test_without_a_worker_a_sentence(client, groups, no_answer):
    (sentence,) = sentences_of(check(client, groups="hikers", recipients="anna"))

    assert sentence == "No worker is running, so Tencent cannot be asked. Start one."


@pytest.fixture
def busy_worker(no_answer, monkeypatch):
    monkeypatch.setattr(views, "has_live_worker", lambda: True)


def test_a_slow_answer_is_shown_at_the_next_press(client, groups, sandbox, busy_worker):
    question = {"groups": "hikers", "recipients": "anna"}

    (sentence,) = sentences_of(check(client, **question))
    assert sentence.startswith("Asked. There is no answer yet: press “Check these")
    sentences_of(check(client, **question))
    assert WorkerRequest.objects.count() == 1
    requests.answer_waiting(HANDLERS)

    assert sentences_of(check(client, **question)) == ["This is a member of the group."]
    assert sandbox.calls.codes(CALL) == [0]
    assert not WorkerRequest.objects.exists()


def test_another_question_replaces_the_first(client, groups, busy_worker):
    check(client, groups="hikers", recipients="anna")
    check(client, groups="hikers runners", recipients="anna")

    assert WorkerRequest.objects.get().parameters["groups"] == ["hikers", "runners"]


def test_a_right_that_was_lost_meanwhile(client, groups, sandbox, busy_worker):
    """The worker checks it again."""
    check(client, groups="hikers", recipients="anna")
    User.objects.get().groups.clear()

    requests.answer_waiting(HANDLERS)

    assert list(WorkerRequest.objects.get().answer) == [requests.REFUSED]
    assert sandbox.calls.codes(CALL) == []


def test_all_that_was_entered_is_still_there_and_nothing_is_written(client, groups):
    page = check(
        client,
        groups="hikers\nnowhere",
        recipients="anna\n<b>li</b>",
        content="  Tonight\n<i>23:00</i> ",
        note="CM-7",
    )

    form = page.context["form"]
    assert not form.is_bound
    assert not form.errors
    assert {
        name: form[name].value()
        for name in ("audience", "groups", "members", "recipients", "content", "note")
    } == {
        "audience": "chosen",
        "groups": "hikers\nnowhere",
        "members": "named",
        "recipients": "anna\n<b>li</b>",
        "content": "  Tonight\n<i>23:00</i> ",
        "note": "CM-7",
    }
    assert str(form["token"].value()) == write_fields()["token"]
    shown = page.context["picked"]["groups"]
    assert [group["id"] for group in shown] == ["nowhere", "hikers"]
    assert "<b>li</b>" not in page.content.decode()
    assert not Notification.objects.exists()
    assert not AuditEntry.objects.exists()


def test_of_a_draft_that_is_edited(client, groups):
    draft = make_notification(
        audience="chosen", audience_values=["hikers"], recipients="ben", content="Old"
    )

    page = check(
        client, f"/write/{draft.pk}/", groups="hikers", recipients="li", content="New"
    )

    assert sentences_of(page) == ["Not in “Weekend hikers”: li."]
    assert page.context["form"]["content"].value() == "New"
    draft.refresh_from_db()
    assert (draft.content, draft.recipients) == ("Old", "ben")


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
def test_who_may_not_send_may_not_ask(log_in, groups, sandbox, role):
    client = log_in(make_user(role, username="wang.fang"))

    page = check(client, groups="hikers", recipients="anna")

    assert page.status_code == 403
    assert sandbox.calls.codes(CALL) == []


def test_a_draft_of_another_user_is_not_checked(log_in, client, groups, sandbox):
    draft = make_notification()
    colleague = log_in(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))

    page = check(colleague, f"/write/{draft.pk}/", groups="hikers", recipients="anna")

    assert page.status_code == 403
    assert sandbox.calls.codes(CALL) == []


def test_a_session_that_ended_loses_nothing(client, groups, sandbox):
    LoginSession.objects.update(expire_date=timezone.now())

    page = check(client, groups="hikers", recipients="anna", content="Tonight")

    assert page.url == "/login/?next=/write/"
    assert LoginSession.objects.get().kept_values["content"] == "Tonight"
    assert sandbox.calls.codes(CALL) == []


def test_the_page_names_what_is_not_documented(client):
    html = client.get("/write/").content.decode()

    assert "Tencent does not say what happens with IDs that are not members." in html
    assert re.search(r'<div id="members-checked" role="status">\s*</div>', html)


# Those of the worker included.
def test_one_number_of_queries_beside_those_of_the_pace(client, no_time):
    for number in range(3):
        make_group(group_id=f"g{number}")
    counts = []
    for chosen in ("g0", "g0 g1 g2"):
        with CaptureQueriesContext(connection) as queries:
            check(client, groups=chosen, recipients="anna")
        counts.append(len(queries))

    # On PostgreSQL, one query reads the clock of the server.
    assert counts == [29 + (connection.vendor == "postgresql")] * 2
