"""The audit trail in words: each action, with all of its details and with none."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import audit_log
from notifications.audit import events as audit_events
from notifications.audit.queries import of_notification
from notifications.audit_log import Origin
from notifications.models import AuditEntry
from tests.factories import MOMENT

A = AuditEntry.Action


def told(action: A, **detail) -> list[str]:
    return [audit_events.sentence(action, detail), *audit_events.lines(action, detail)]


def test_every_action_has_a_sentence():
    assert set(audit_events.TELLINGS) == set(A)


# What is said where nothing is known.
ALONE = dict.fromkeys(
    (A.EXPORTED, A.TRAIL_EXPORTED, A.GROUPS_EXPORTED), "Filters: none, so all of it"
) | {A.LOGIN_REFUSED: "Name and password did not match."}


@pytest.mark.parametrize("action", A)
def test_an_entry_may_lack_every_detail(action):
    first, *rest = told(action)

    assert first.endswith(".")
    assert rest in ([], [ALONE.get(action)])


@pytest.mark.parametrize(
    ("action", "detail", "lines"),
    [
        (
            A.CONNECTION_CHECKED,
            {"result": "failed", "step": "key", "steps": []},
            ["Checked the connection to Tencent.", "Result: Failed: Key"],
        ),
        (
            A.SENT,
            {"groups": 1, "not_after": "2026-03-02T09:30:00+00:00", "start": None},
            ["Sent it to 1 group.", "Not after: 2026-03-02 09:30:00 UTC"],
        ),
        (
            A.SENT,
            {"groups": 12, "left_out_count": 2, "left_out": [{"group_id": "a"}]},
            ["Sent it to 12 groups.", "Groups left out: 2"],
        ),
        (A.LOGGED_IN, {"by": "sso"}, ["Logged in.", "Way: single sign-on"]),
        (
            A.LOGIN_REFUSED,
            {"by": "sso", "why": "switched_off"},
            [
                "A login was refused.",
                "Way: single sign-on",
                "This login is switched off here.",
            ],
        ),
        (
            A.SCHEDULED,
            {"start": "2026-03-02T09:30:00+00:00", "before": "no time"},
            [
                "Set the time to send.",
                "Start: 2026-03-02 09:30:00 UTC",
                "Start before: no time",
            ],
        ),
        (
            A.PAUSED,
            {"reason": "account_code", "code": 70009},
            [
                "Paused.",
                "Reason: Tencent refused the account",
                "Error code: 70009 · The secret key does not belong to this app.",
            ],
        ),
        (A.STOPPED, {"failed": 0, "cancelled": 3}, ["Stopped.", "Not called: 3"]),
        (
            A.RESENT,
            {"of": 7, "kind": "failed", "groups": 2},
            [
                "Sent notification 7 again to 2 groups.",
                "Which groups: those that failed",
            ],
        ),
        (
            A.GROUP_CHANGED,
            {
                "group_id": "hikers",
                "before": {"state": "in_use", "name": "Walk"},
                "after": {"state": "closed", "name": "Hike"},
            },
            [
                "Changed the group hikers.",
                "State: In use → Closed",
                "Name: Walk → Hike",
            ],
        ),
        (
            A.SWITCHED_OFF,
            {"groups": [f"g{n}" for n in range(22)]},
            [
                "Switched 22 groups off.",
                f"Groups: {', '.join(f'g{n}' for n in range(20))} … (+2)",
            ],
        ),
        (
            A.EXPORTED,
            {"format": "csv", "filters": {"q": "直播", "status": "failed"}},
            [
                "Downloaded the history.",
                "Format: csv",
                "Filters: q=直播, status=failed",
            ],
        ),
        (
            A.EXPORT_ENDED,
            {"rows": 5, "completed": False, "sha256": "ab12"},
            [
                "The download ended after 5 rows.",
                "It was broken off before the end.",
                "SHA-256 of the file: ab12",
            ],
        ),
        (
            A.PERSON_CHANGED,
            {
                "person": "wang.fang",
                "before": {"is_active": True, "roles": ["Auditor"]},
                "after": {"is_active": False, "roles": []},
            },
            ["Changed wang.fang.", "May log in: yes → no", "Roles: Auditor → –"],
        ),
        (
            A.ROLE_ADDED,
            {
                "role": "Eyes",
                "before": {},
                "after": {"permissions": ["notifications.view_history", "x.y"]},
            },
            ["Added the role “Eyes”.", "What it allows: May see the history; x.y"],
        ),
        (
            A.ROLE_DELETED,
            {
                "role": "Eyes",
                "before": {"name": "Eyes", "permissions": []},
                "after": {},
                "people": ["a", "b"],
            },
            [
                "Deleted the role “Eyes”.",
                "Name: Eyes",
                "What it allows: –",
                "People who had it: a, b",
            ],
        ),
        (
            A.DRAFT_SAVED,
            {"audience": "chosen", "chosen": 2, "note": ""},
            ["Saved a draft.", "Send to: Groups I choose", "Chosen: 2"],
        ),
        (
            A.VERIFIED,
            {"unchanged": True, "head": "ab12", "differences": [], "only": None},
            ["Verified the record.", "Result: unchanged", "Head of the seals: ab12"],
        ),
        (
            A.VERIFIED,
            {
                "unchanged": False,
                "head": "ab12",
                "differences": ["delivery 7 was changed.", "seal 3 is missing."],
                "only": 5,
                "since": "2026-03-02T09:30:00+00:00",
            },
            [
                "Verified the record.",
                "Result: CHANGED",
                "delivery 7 was changed.",
                "Notification no.: 5",
                "What was sealed from: 2026-03-02 09:30:00 UTC",
                "Head of the seals: ab12",
            ],
        ),
        (
            A.LATE_ANSWER,
            {"outcome": "accepted", "error_code": 0},
            [
                "An answer came after the delivery was given up.",
                "Result: Tencent accepted it",
            ],
        ),
    ],
)
def test_details_in_plain_words(action, detail, lines):
    assert told(action, **detail) == lines


@pytest.mark.django_db
def test_the_actions_on_a_notification_oldest_first_in_one_query():
    click = Origin(address="192.0.2.7", number=uuid.UUID(int=7))
    audit_log.write(A.SENT, "lin.mei", notification=3, at=MOMENT, groups=1)
    with audit_log.origin(click):
        audit_log.write(A.PAUSED, "chen.jie", notification=3, note="the date is wrong")
    audit_log.write(A.SENT, "lin.mei", notification=4, groups=1)

    with CaptureQueriesContext(connection) as queries:
        first, second = of_notification(3)

    assert len(queries) == 1
    assert (first.at, first.actor, first.sentence, first.request_number) == (
        MOMENT,
        "lin.mei",
        "Sent it to 1 group.",
        None,
    )
    assert (second.sentence, second.details, second.address) == (
        "Paused.",
        ["Note: the date is wrong"],
        "192.0.2.7",
    )
    assert second.request_number == click.number
