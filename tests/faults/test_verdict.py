"""The verdict of the fault suite detects every kind of violation."""

import pytest

from tests.faults.verdict import Call, Row, judge

pytestmark = pytest.mark.one_database

ACCEPTED = ("accepted", 0)
LOST_WORKER = ("worker_lost", None)
NOT_SENT = ("not_sent", None)
BUSY = ("rejected", 60007)


def row(status: str, *attempts: tuple[str, int | None], **kwargs) -> Row:
    return Row("g", status, attempts=attempts, **kwargs)


def counts(calls: list[int | None], *rows: Row) -> tuple[int, int, int]:
    verdict = judge(["g"], [Call("g", code) for code in calls], rows)
    return verdict.twice, verdict.lost, verdict.stuck


@pytest.mark.parametrize(
    ("status", "reason", "stored", "lost"),
    [
        ("accepted", "in_history", True, 0),
        ("accepted", "in_history", False, 1),
        ("failed", "not_in_history", False, 0),
        ("failed", "not_in_history", True, 1),
        ("failed", "still_there", False, 0),
        ("failed", "still_there", True, 1),
        ("failed", "not_known", False, 1),
        ("accepted", "recalled_before", True, 1),
        ("unconfirmed", "no_answer", True, 0),
    ],
)
def test_a_verdict_by_the_history_agrees_with_it(status, reason, stored, lost):
    found = row(status, ("unconfirmed", None), reason=reason)

    assert judge(["g"], [Call("g", None, stored)], [found]).lost == lost


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([0], row("accepted", ACCEPTED)),
        ([60007, 0], row("accepted", BUSY, ACCEPTED)),
        ([0], row("accepted", NOT_SENT, ACCEPTED)),
        ([10010], row("failed", ("rejected", 10010), code=10010)),
        ([0], row("unconfirmed", LOST_WORKER)),
        ([], row("unconfirmed", LOST_WORKER)),
        ([60007, 0], row("unconfirmed", BUSY, LOST_WORKER)),
        ([], row("cancelled")),
        ([0], row("unconfirmed", reason="restored")),
        ([], row("failed", reason="not_known")),
        ([10032], row("accepted", ("rejected", 10032), reason="recalled_before")),
    ],
)
def test_what_is_as_promised(calls, found):
    assert counts(calls, found) == (0, 0, 0)


@pytest.mark.parametrize(
    ("calls", "found", "expected"),
    [
        # twice, lost, stuck
        ([0, 0], row("accepted", ACCEPTED), (1, 1, 0)),
        ([0, 0], row("accepted", LOST_WORKER, ACCEPTED), (1, 0, 0)),
        ([None, 0], row("accepted", NOT_SENT, ACCEPTED), (1, 1, 0)),
        ([0, 0, 0], row("unconfirmed", reason="restored"), (2, 0, 0)),
        ([], row("accepted", ACCEPTED), (0, 1, 0)),
        ([None], row("accepted", ACCEPTED), (0, 1, 0)),
        ([0], row("failed", ("rejected", 10010), code=10010), (0, 1, 0)),
        ([0], row("cancelled"), (0, 1, 0)),
        ([0], row("unconfirmed"), (0, 1, 0)),
        ([], row("queued"), (0, 0, 1)),
        ([0], row("sending"), (0, 0, 1)),
    ],
)
def test_what_breaks_the_promise(calls, found, expected):
    assert counts(calls, found) == expected


def test_a_group_without_a_row_is_lost():
    assert counts([]) == (0, 1, 0)
    assert counts([0, 0]) == (1, 1, 0)


def test_a_row_for_a_group_that_was_not_chosen_is_a_violation():
    assert judge([], [], [row("cancelled")]).lost == 1


def test_problems_name_the_group_and_both_sides():
    verdict = judge(["g"], [Call("g", 0), Call("g", 0)], [row("accepted", ACCEPTED)])

    assert verdict.problems[0] == (
        "g: called twice without cause; row accepted(None), attempts ['accepted'], "
        "the endpoint's answers [0, 0]"
    )
