"""The data of the connection check: complete in both languages, and without gaps."""

import re

import pytest

from notifications.system.connection import CheckStep
from notifications.tencent.error_codes import FIRST_HOUR, Scope, about, all_codes

pytestmark = pytest.mark.one_database

CHINESE = re.compile(r"[\u4e00-\u9fff]")
UNKNOWN = about(424242)


@pytest.mark.parametrize("code", [424242, *[c.code for c in all_codes()]])
def test_a_code_speaks_of_a_step_in_both_languages(code):
    refusal = about(code)

    assert CheckStep(refusal.step) not in map(CheckStep, refusal.proves)
    assert list(refusal.remedy) == ["en", "zh-hans"]
    assert CHINESE.search(refusal.remedy["zh-hans"])
    assert not CHINESE.search(refusal.remedy["en"])


def test_no_code_about_the_account_is_left_without_a_remedy_of_its_own():
    unsaid = {c.code for c in all_codes() if about(c.code) is UNKNOWN}

    assert not unsaid & {c.code for c in all_codes() if c.scope is Scope.ACCOUNT}


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (70016, CheckStep.APPLICATION),
        (70020, CheckStep.APPLICATION),
        (70009, CheckStep.KEY),
        (70001, CheckStep.CLOCK),
        (60010, CheckStep.ADMINISTRATOR),
        (10007, CheckStep.ADMINISTRATOR),
        (60017, CheckStep.ADMINISTRATOR),
        (60021, CheckStep.ANSWER),
        (60007, CheckStep.ANSWER),
    ],
)
def test_which_step_is_wrong(code, step):
    assert about(code).step == step


def test_the_first_hour_in_both_languages():
    assert len(FIRST_HOUR) == 9
    for hint in FIRST_HOUR:
        for words in (hint.name, hint.seen, hint.remedy):
            assert list(words) == ["en", "zh-hans"]
            assert CHINESE.search(words["zh-hans"])
            assert not CHINESE.search(words["en"])
