"""The texts of each event, with all of its details and with none."""

import pytest
from django.utils.translation import override

from notifications.access.audit_events import (
    LOGGED_IN,
    LOGIN_REFUSED,
    PERSON_CHANGED,
    ROLE_ADDED,
    ROLE_DELETED,
)
from notifications.audit.audit_events import TRAIL_EXPORTED
from notifications.audit.presentation import lines, sentence
from notifications.audit_log import EVENTS, Detail, Event
from notifications.compose.audit_events import DRAFT_SAVED, RESENT, SENT
from notifications.delivery.audit_events import (
    LATE_ANSWER,
    PAUSED,
    RULE,
    SCHEDULED,
    STOPPED,
)
from notifications.groups.audit_events import (
    GROUP_CHANGED,
    GROUPS_EXPORTED,
    SWITCHED_OFF,
)
from notifications.history.audit_events import EXPORTED
from notifications.models import AuditEntry
from notifications.record.audit_events import VERIFIED
from notifications.system.audit_events import CONNECTION_CHECKED
from notifications.ui.audit_events import EXPORT_ENDED

pytestmark = pytest.mark.one_database


def texts_of(event: Event, **detail) -> list[str]:
    return [sentence(event.word, detail), *lines(event.word, detail)]


every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)


@every_event
def test_a_word_fits_its_column_and_belongs_to_one_event(event):
    assert len(event.word) <= AuditEntry._meta.get_field("action").max_length
    with pytest.raises(ValueError, match="two events"):
        Event(event.word, event.label, event.sentence)


@every_event
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_texts_of_each_event_and_detail_in(language, event):
    details = [detail for detail in event.details if isinstance(detail, Detail)]
    with override("en"):
        texts = [str(event.label), *texts_of(event)]
    with override(language):
        label, first, *_rest = [str(event.label), *texts_of(event)]
        values: dict[Detail, object] = {RULE: {"types": ["Public"]}}
        for detail in details:
            value = values.get(detail, 70009)
            (line,) = lines(event.word, {detail.key: value})[:1]
            assert line.startswith(str(detail.label))
    assert first.endswith("." if language == "en" else "。")
    assert (label == texts[0]) == (first == texts[1]) == (language == "en")


def test_a_word_from_a_newer_version_is_shown_as_it_is():
    assert sentence("teleported", {"by": "x"}) == "teleported"
    assert lines("teleported", {"by": "x"}) == []


# Details of an entry without values.
ALONE = dict.fromkeys(
    (EXPORTED, TRAIL_EXPORTED, GROUPS_EXPORTED), "Filters: none, so all of it"
) | {LOGIN_REFUSED: "Name and password did not match."}


@every_event
def test_an_entry_may_lack_every_detail(event):
    first, *rest = texts_of(event)

    assert first.endswith(".")
    assert rest in ([], [ALONE.get(event)])


@pytest.mark.parametrize(
    ("event", "detail", "texts"),
    [
        (
            CONNECTION_CHECKED,
            {"result": "failed", "step": "key", "steps": []},
            ["Checked the connection to Tencent.", "Result: Failed: Key"],
        ),
        (
            SENT,
            {"groups": 1, "not_after": "2026-03-02T09:30:00+00:00", "start": None},
            ["Sent it to 1 group.", "Not after: 2026-03-02 09:30:00 UTC"],
        ),
        (
            SENT,
            {"groups": 12, "left_out_count": 2, "left_out": [{"group_id": "a"}]},
            ["Sent it to 12 groups.", "Groups left out: 2"],
        ),
        (LOGGED_IN, {"by": "sso"}, ["Logged in.", "Way: single sign-on"]),
        (
            LOGIN_REFUSED,
            {"by": "sso", "why": "switched_off"},
            [
                "A login was refused.",
                "Way: single sign-on",
                "This login is switched off here.",
            ],
        ),
        (
            SCHEDULED,
            {"start": "2026-03-02T09:30:00+00:00", "before": "no time"},
            [
                "Set the time to send.",
                "Start: 2026-03-02 09:30:00 UTC",
                "Start before: no time",
            ],
        ),
        (
            PAUSED,
            {"reason": "account_code", "code": 70009},
            [
                "Paused.",
                "Reason: Tencent refused the account",
                "Error code: 70009 · The secret key does not belong to this app.",
            ],
        ),
        (
            PAUSED,
            {"reason": "account_code", "channel": "group_message", "code": 10007},
            [
                "Paused.",
                "Reason: Tencent refused the account",
                "Error code: 10007 · This app may not send messages to groups.",
            ],
        ),
        (STOPPED, {"failed": 0, "cancelled": 3}, ["Stopped.", "Not called: 3"]),
        (
            RESENT,
            {"of": 7, "kind": "failed", "groups": 2},
            [
                "Sent notification 7 again to 2 groups.",
                "Which groups: those that failed",
            ],
        ),
        (
            GROUP_CHANGED,
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
            SWITCHED_OFF,
            {"groups": 22, "named": [f"g{n}" for n in range(22)]},
            [
                "Switched 22 groups off.",
                f"Groups: {', '.join(f'g{n}' for n in range(20))} … (+2)",
            ],
        ),
        (
            EXPORTED,
            {"format": "csv", "filters": {"q": "直播", "status": "failed"}},
            [
                "Downloaded the history.",
                "Format: csv",
                "Filters: q=直播, status=failed",
            ],
        ),
        (
            EXPORT_ENDED,
            {"rows": 5, "completed": False, "sha256": "ab12"},
            [
                "The download ended after 5 rows.",
                "It was broken off before the end.",
                "SHA-256 of the file: ab12",
            ],
        ),
        (
            PERSON_CHANGED,
            {
                "person": "wang.fang",
                "before": {"is_active": True, "roles": ["Auditor"]},
                "after": {"is_active": False, "roles": []},
            },
            ["Changed wang.fang.", "May log in: yes → no", "Roles: Auditor → –"],
        ),
        (
            ROLE_ADDED,
            {
                "role": "Eyes",
                "before": {},
                "after": {"permissions": ["notifications.view_history", "x.y"]},
            },
            ["Added the role “Eyes”.", "What it allows: May see the history; x.y"],
        ),
        (
            ROLE_DELETED,
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
            DRAFT_SAVED,
            {"version": 2},
            ["Saved a draft.", "Version: 2"],
        ),
        (
            VERIFIED,
            {"unchanged": True, "head": "ab12", "differences": [], "only": None},
            ["Verified the record.", "Result: unchanged", "Head of the seals: ab12"],
        ),
        (
            VERIFIED,
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
            LATE_ANSWER,
            {"outcome": "accepted", "error_code": 0},
            [
                "An answer came after the delivery was given up.",
                "Result: Tencent accepted it",
            ],
        ),
    ],
)
def test_details_in_plain_words(event, detail, texts):
    assert texts_of(event, **detail) == texts


def test_excepted_groups_with_the_number_of_all():
    groups = [{"group_id": f"g{n}", "name": f"Group {n}"} for n in range(100)]

    shown = lines("sent", {"excepted": groups, "excepted_count": 300})

    assert shown[0].startswith("Excepted by name: Group 0 (g0), Group 1 (g1)")
    assert shown[0].endswith("and 295 more")
