"""The catalogue of codes and of connection remedies: complete in both languages."""

import re
from dataclasses import replace

import pytest

from notifications.system.connection import CheckStep
from notifications.tencent import error_codes
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.calls.modify_group_msg import ModifyGroupMsg
from notifications.tencent.calls.send_group_msg import SendGroupMsg
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.error_codes import (
    FIRST_HOUR,
    Retry,
    Scope,
    about,
    all_codes,
    explain_reason,
    info,
)
from notifications.tencent.outcomes import Reason

pytestmark = pytest.mark.one_database

CHINESE = re.compile(r"[\u4e00-\u9fff]")
MESSAGE = SendGroupMsg.COMMAND
RECALL = GroupMsgRecall.COMMAND
CORRECTION = ModifyGroupMsg.COMMAND
ALL_TEXTS = [
    text
    for command in (error_codes.DEFAULT_COMMAND, MESSAGE, RECALL, CORRECTION)
    for text in (
        *[info(code.code, command) for code in all_codes()],
        *[explain_reason(reason, command) for reason in Reason],
    )
]


def test_codes_are_unique_and_in_order():
    numbers = [code.code for code in all_codes()]

    assert numbers == sorted(set(numbers))
    assert len(numbers) == 69


@pytest.mark.parametrize("text", ALL_TEXTS, ids=lambda text: text.meaning["en"][:20])
def test_every_text_is_there_in_both_languages(text):
    for words in (text.meaning, text.remedy):
        assert list(words) == ["en", "zh-hans"]
        assert not CHINESE.search(words["en"])
        assert CHINESE.search(words["zh-hans"])
        assert words["en"].endswith(".")
        assert words["zh-hans"].endswith("。")
        assert "deliver" not in words["en"]


@pytest.mark.parametrize("code", [None, 424242, *[c.code for c in all_codes()]])
def test_what_to_do_when_a_call_that_reads_failed(code):
    words = error_codes.reading_remedy(code)

    assert list(words) == ["en", "zh-hans"]
    assert CHINESE.search(words["zh-hans"])
    assert not CHINESE.search(words["en"])
    # Reading calls show and send nothing.
    assert not re.search("send|seen|notification", words["en"])


@pytest.mark.parametrize(
    ("code", "retry", "certain", "scope"),
    [
        (10002, Retry.AFTER_BACKOFF, False, Scope.GROUP),
        (10003, Retry.NEVER, True, Scope.ACCOUNT),
        (10004, Retry.NEVER, True, Scope.GROUP),
        (10005, Retry.NEVER, True, Scope.NOTIFICATION),
        (10007, Retry.NEVER, True, Scope.GROUP),
        (10010, Retry.NEVER, True, Scope.GROUP),
        (10015, Retry.NEVER, True, Scope.GROUP),
        (10018, Retry.NEVER, True, Scope.GROUP),
        (10026, Retry.NEVER, True, Scope.ACCOUNT),
        (60004, Retry.SAFE, True, Scope.ACCOUNT),
        (60007, Retry.AFTER_BACKOFF, True, Scope.GROUP),
        (60008, Retry.AFTER_BACKOFF, False, Scope.GROUP),
        (60020, Retry.NEVER, True, Scope.ACCOUNT),
        (70001, Retry.SAFE, True, Scope.ACCOUNT),
        (70009, Retry.NEVER, True, Scope.ACCOUNT),
        (70050, Retry.AFTER_BACKOFF, True, Scope.ACCOUNT),
        (80001, Retry.NEVER, True, Scope.NOTIFICATION),
        (80002, Retry.NEVER, True, Scope.NOTIFICATION),
        (80101, Retry.NEVER, True, Scope.NOTIFICATION),
        (424242, Retry.NEVER, False, Scope.GROUP),  # unlisted
    ],
)
def test_facts(code, retry, certain, scope):
    code_info = info(code)

    facts = (code_info.retry, code_info.certain, code_info.scope)
    assert facts == (retry, certain, scope)


@pytest.mark.parametrize(
    ("code", "scope", "scope_of_notification"),
    [
        (10002, Scope.GROUP, Scope.GROUP),
        (10004, Scope.NOTIFICATION, Scope.GROUP),
        (10007, Scope.ACCOUNT, Scope.GROUP),
        (10010, Scope.GROUP, Scope.GROUP),
        (10015, Scope.GROUP, Scope.GROUP),
        (10016, Scope.GROUP, Scope.GROUP),
        (10017, Scope.GROUP, Scope.GROUP),
        (10019, Scope.NOTIFICATION, Scope.GROUP),
        (10023, Scope.GROUP, Scope.GROUP),
        (10026, Scope.ACCOUNT, Scope.ACCOUNT),
        (10053, Scope.NOTIFICATION, Scope.NOTIFICATION),
        (10059, Scope.ACCOUNT, Scope.ACCOUNT),
        (60017, Scope.ACCOUNT, Scope.ACCOUNT),
        (70107, Scope.ACCOUNT, Scope.ACCOUNT),
        (80001, Scope.NOTIFICATION, Scope.NOTIFICATION),
        (80002, Scope.NOTIFICATION, Scope.NOTIFICATION),
        (80003, Scope.GROUP, Scope.GROUP),
        (80101, Scope.NOTIFICATION, Scope.NOTIFICATION),
        (424242, Scope.GROUP, Scope.GROUP),
    ],
)
def test_the_scope_of_a_code_is_per_call(code, scope, scope_of_notification):
    assert info(code, MESSAGE).scope is scope
    assert info(code).scope is scope_of_notification
    assert info(code, "get_group_info") == info(code)


@pytest.mark.parametrize(
    ("code", "retry", "certain", "scope_of_recall", "scope_of_correction"),
    [
        (10002, Retry.AFTER_BACKOFF, False, Scope.GROUP, Scope.GROUP),
        (10003, Retry.NEVER, True, Scope.ACCOUNT, Scope.ACCOUNT),
        (10004, Retry.NEVER, True, Scope.GROUP, Scope.NOTIFICATION),
        (10007, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10010, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10015, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10026, Retry.NEVER, True, Scope.ACCOUNT, Scope.ACCOUNT),
        (10030, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10031, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10032, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10033, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (10041, Retry.NEVER, True, Scope.ACCOUNT, Scope.ACCOUNT),
        (20001, Retry.NEVER, True, Scope.GROUP, Scope.GROUP),
        (60007, Retry.AFTER_BACKOFF, True, Scope.GROUP, Scope.GROUP),
        (80001, Retry.NEVER, True, Scope.NOTIFICATION, Scope.NOTIFICATION),
    ],
)
def test_codes_of_recalls_and_corrections(
    code, retry, certain, scope_of_recall, scope_of_correction
):
    for command, scope in (
        (RECALL, scope_of_recall),
        (CORRECTION, scope_of_correction),
    ):
        code_info = info(code, command)
        facts = (code_info.retry, code_info.certain, code_info.scope)
        assert facts == (retry, certain, scope)


# Codes and reasons that only a send can have: of its members, its sender, its callback.
OF_SENDS = {10005, 10016, 10017, 10019, 10053, 10062}
REASONS_OF_SENDS = {Reason.DROPPED, Reason.NOT_IN_HISTORY, Reason.REPEATED}


@pytest.mark.parametrize("command", [RECALL, CORRECTION])
def test_no_text_of_a_recall_or_a_correction_is_about_a_send(command):
    codes = {code.code for code in all_codes()} - OF_SENDS | {424242}
    texts = [
        *[info(code, command) for code in codes],
        *[explain_reason(reason, command) for reason in set(Reason) - REASONS_OF_SENDS],
    ]

    for text in texts:
        words = f"{text.meaning['en']} {text.remedy['en']}"
        assert not re.search(
            "[Ss]end(ing)? (it )?again|have seen|see it|arrived|may have been sent|"
            "continue sending|named members|notices",
            words,
        )
        chinese = text.meaning["zh-hans"] + text.remedy["zh-hans"]
        assert not re.search("重新发送|再发送|继续发送|看到|送达", chinese)


def test_an_unconfirmed_recall_or_correction_can_be_looked_up():
    for command, done in ((RECALL, "taken back"), (CORRECTION, "corrected")):
        texts = [
            info(code.code, command) for code in all_codes() if not code.certain
        ] + [
            explain_reason(reason, command)
            for reason in (
                Reason.NO_ANSWER,
                Reason.CONNECTION_LOST,
                Reason.HTTP_STATUS,
                Reason.BAD_ANSWER,
                Reason.CONTRADICTION,
                Reason.TOO_LARGE,
                Reason.DEFECT,
                Reason.WORKER_LOST,
                Reason.RESTORED,
                Reason.UNCERTAIN_CODE,
            )
        ]
        assert len(texts) == 17
        for text in texts:
            assert f"may have been {done}" in text.remedy["en"]
            assert "Tencent’s history of the group is asked" in text.remedy["en"]
            assert "does no harm" in text.remedy["en"]


def test_the_meaning_of_a_reason_is_per_call():
    for reason in (Reason.IN_HISTORY, Reason.STILL_THERE, Reason.UNCERTAIN_CODE):
        meanings = {
            explain_reason(reason, command).meaning["en"]
            for command in (RECALL, CORRECTION)
        }
        assert len(meanings) == 2


def test_the_catalogue_describes_the_system_notification():
    assert error_codes.DEFAULT_COMMAND == SendGroupSystemNotification.COMMAND


@pytest.mark.parametrize("command", [MESSAGE, RECALL, CORRECTION])
def test_only_scope_and_text_are_per_call(command):
    for code in all_codes():
        code_info = info(code.code, command)
        changed = replace(
            code_info, scope=code.scope, meaning=code.meaning, remedy=code.remedy
        )
        assert changed == code


def test_a_refusal_by_the_callback_names_its_owner():
    assert "owner of your app’s before-send" in info(10016, MESSAGE).remedy["en"]


def test_an_unconfirmed_message_can_be_looked_up():
    texts = [info(code.code, MESSAGE) for code in all_codes() if not code.certain] + [
        explain_reason(Reason.NO_ANSWER, MESSAGE)
    ]

    assert len(texts) == 8
    assert all("history of the group" in text.remedy["en"] for text in texts)


def test_the_retry_list():
    assert [code.code for code in all_codes() if code.can_be_retried] == [
        10006,
        10023,
        60007,
        60011,
        60018,
        60019,
        70050,
        80003,
    ]


@pytest.mark.parametrize(
    ("language", "key"),
    [("en", "en"), ("en-gb", "en"), ("zh-hans", "zh-hans"), ("zh-CN", "zh-hans")],
)
def test_language_key(language, key):
    assert error_codes.language_key(language) == key


@pytest.mark.parametrize("code", [424242, *[c.code for c in all_codes()]])
def test_the_step_of_a_code_in_both_languages(code):
    refusal = about(code)

    assert CheckStep(refusal.step) not in map(CheckStep, refusal.proves)
    assert list(refusal.remedy) == ["en", "zh-hans"]
    assert CHINESE.search(refusal.remedy["zh-hans"])
    assert not CHINESE.search(refusal.remedy["en"])


def test_no_code_about_the_account_is_left_without_a_remedy_of_its_own():
    unlisted = {c.code for c in all_codes() if about(c.code) is about(424242)}

    assert not unlisted & {c.code for c in all_codes() if c.scope is Scope.ACCOUNT}


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
