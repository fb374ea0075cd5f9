"""Channels: what differs between them is in their folder only, and their contract holds."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.delivery.channels import CHANNELS, WRITABLE
from notifications.delivery.channels.base import Change, Message, State, Target
from notifications.models import Channel, GroupType
from notifications.tencent.calls.base import OtherShape
from notifications.tencent.calls.group_msg_get_simple import HistoryMessage, Place
from notifications.tencent.calls.send_group_msg import Receipt
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from tests.factories import MOMENT

ROOT = Path(__file__).parents[2]
WORDS = {*Channel.values, *Channel.names}
NAMES = {*Channel.names, *(type(channel).__name__ for channel in CHANNELS.values())}

# The words are constraints and choices of the models, part of migrations, and names of
# calls and capabilities below and beside the channels. A recall and a correction have a
# service each, which knows the other one.
MAY_COMPARE = (
    "notifications/amendments/",
    "notifications/delivery/channels/",
    "notifications/models/",
    "notifications/migrations/",
    "notifications/sandbox/",
)


def comparisons(source: str) -> Iterator[int]:
    """The lines that compare with a channel, or choose by the word of one.

    Words as values, such as a default or a key in a table, are no comparison.
    """
    for node in ast.walk(ast.parse(source)):
        operands: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        elif isinstance(node, ast.MatchClass):
            operands = [node.cls]
        elif isinstance(node, ast.Call):
            operands = _compared_by_call(node)
        if any(_names_a_channel(operand) for operand in operands):
            yield node.lineno


def _compared_by_call(call: ast.Call) -> list[ast.AST]:
    """The arguments with which ``isinstance``, a lookup or a method of str compares."""
    name = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
    match name:
        case "isinstance":
            return [*call.args[1:]]
        case "startswith" | "endswith":
            return [*call.args]
        case "filter" | "exclude" | "get" | "Q" | "When":
            return [
                keyword.value
                for keyword in call.keywords
                if keyword.arg is None or "channel" in keyword.arg
            ]
    return []


def _names_a_channel(operand: ast.AST) -> bool:
    for node in ast.walk(operand):
        if isinstance(node, ast.Constant) and node.value in WORDS:
            return True
        if isinstance(node, ast.Attribute) and node.attr in Channel.names:
            return True
        if isinstance(node, ast.Name) and node.id in NAMES:
            return True
    return False


def test_no_code_outside_compares_the_word_of_a_channel():
    files = [
        path
        for folder in ("notifications", "notifier_site")
        for path in (ROOT / folder).rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(MAY_COMPARE)
    ]
    problems = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in comparisons(path.read_text("utf-8"))
    ]

    assert len(files) > 200
    assert problems == []


@pytest.mark.parametrize(
    "source",
    [
        "if notification.channel == Channel.GROUP_MESSAGE: pass",
        "if channel != 'group_message': pass",
        "x = channel in ('system_notification', other)",
        "x = word is Channel.SYSTEM_NOTIFICATION",
        "match channel:\n    case 'group_message': pass",
        "match channel:\n    case Channel.GROUP_MESSAGE: pass",
        "match channel:\n    case 'other' | 'group_message': pass",
        "match channel:\n    case GroupMessage(): pass",
        "if word == GROUP_MESSAGE: pass",
        "rows.filter(**{'channel': 'group_message'})",
        "rows.filter(delivery__channel='group_message')",
        "rows.exclude(channel__in=[Channel.GROUP_MESSAGE])",
        "x = isinstance(channel, GroupMessage)",
        "x = word.startswith('group_message')",
        "x = 1 if 'group_message' == word else 2",
    ],
)
def test_the_test_finds_every_form_of_a_comparison(source):
    assert [*comparisons(source)] == [2 if "match" in source else 1]


def test_no_template_or_script_compares_the_word_of_a_channel():
    texts = {
        path: path.read_text("utf-8")
        for folder, files in (("templates", "*.*"), ("notifications/static", "*.js"))
        for path in (ROOT / folder).rglob(files)
    }

    assert {path.suffix for path in texts} >= {".html", ".js"}
    # The names of the recalls are in addresses and classes, too: only literals compare.
    literals = [f"{mark}{word}{mark}" for word in WORDS for mark in "\"'"]
    comparing = [
        path for path, text in texts.items() if any(one in text for one in literals)
    ]
    assert comparing == []


# --- the contract -----------------------------------------------------------------------

EVERYONE = Message("Hi", MessageOptions())
RECALL, CORRECTION = CHANNELS[Channel.RECALL], CHANNELS[Channel.CORRECTION]


def target(group_type: str = "Public", recipients: list[str] | None = None) -> Target:
    return Target("g", group_type, recipients, 7, msg_seq=418)


def test_each_word_has_a_channel_with_a_call_of_its_own():
    assert set(CHANNELS) == set(Channel.values)
    assert len({channel.command for channel in CHANNELS.values()}) == len(CHANNELS)
    for word, channel in CHANNELS.items():
        assert channel.word == word
        assert str(channel.description)
        for types in channel.refused_by_type.values():
            assert types <= set(GroupType.values)


@pytest.mark.parametrize(
    ("word", "recipients"),
    [
        *((word, None) for word in CHANNELS),
        # A recall or a correction is of the message, for all who have it.
        *((word, ["anna"]) for word in WRITABLE),
    ],
)
@pytest.mark.parametrize("group_type", GroupType.values)
def test_what_a_type_refuses_is_refused_by_the_call(word, group_type, recipients):
    channel = CHANNELS[word]
    is_refused = channel.refuses(group_type) or (
        recipients is not None and channel.refuses(group_type, "recipients")
    )
    call = channel.call(EVERYONE, target(group_type, recipients))

    if is_refused:
        with pytest.raises(ValueError, match=group_type):
            call.check()
    else:
        call.check()


@pytest.mark.parametrize("word", WRITABLE)
def test_a_portion_is_a_call_that_is_allowed(word, settings):
    channel = CHANNELS[word]
    settings.IM_RECIPIENTS_PER_CALL = 500
    members = [f"u{n}" for n in range(channel.recipients_per_call())]

    channel.call(EVERYONE, target(recipients=members)).check()
    assert len(members) <= channel.max_recipients


def test_a_message_without_a_number_is_no_call():
    channel = CHANNELS[Channel.GROUP_MESSAGE]

    with pytest.raises(ValueError, match="has no Random"):
        channel.call(EVERYONE, Target("g", "Public", None))


@pytest.mark.parametrize("word", CHANNELS)
@pytest.mark.parametrize("kind", OutcomeKind)
def test_an_outcome_stays_unless_the_message_was_dropped(word, kind):
    outcome = Outcome(kind, Reason.NO_ANSWER, error_code=0)

    assert CHANNELS[word].classify(outcome, None).outcome == outcome


def test_a_dropped_message_was_rejected():
    accepted = Outcome(OutcomeKind.ACCEPTED, http_status=200, error_code=0)
    channel = CHANNELS[Channel.GROUP_MESSAGE]

    result = channel.classify(accepted, Receipt(1, 5, "MsgFreqCtrl"))

    assert result.outcome.kind is OutcomeKind.REJECTED
    assert (result.msg_seq, result.msg_time) == (1, 5)
    assert result.drop_reason == "MsgFreqCtrl"
    assert channel.classify(accepted, Receipt(1, 5)).outcome is accepted


@pytest.mark.parametrize(
    ("options", "group_type", "recipients", "seconds"),
    [
        (MessageOptions(), "Public", None, 30),
        (MessageOptions(mention_all=True), "Community", None, 30),
        (MessageOptions(), "Public", ["anna"], None),
        (MessageOptions(online_only=True), "Public", None, None),
        (MessageOptions(), "AVChatRoom", None, None),
    ],
)
def test_what_tencent_can_be_queried_about(
    settings, options, group_type, recipients, seconds
):
    settings.IM_QUERY_AFTER_SECONDS = 30
    first = CHANNELS[Channel.GROUP_MESSAGE].first_query_at(
        Message("Hi", options), target(group_type, recipients), ended_at=MOMENT
    )

    assert first == (MOMENT + timedelta(seconds=seconds) if seconds else None)


def test_a_live_room_gets_a_repeat_at_once_if_it_is_allowed(settings):
    settings.IM_REPEAT_LIVE_ROOMS = True
    channel = CHANNELS[Channel.GROUP_MESSAGE]

    at = channel.first_query_at(EVERYONE, target("AVChatRoom"), ended_at=MOMENT)

    assert at == MOMENT


def test_nobody_can_be_queried_about_a_system_notification():
    channel = CHANNELS[Channel.SYSTEM_NOTIFICATION]

    assert channel.first_query_at(EVERYONE, target(), ended_at=MOMENT) is None


# --- recall and correction ----------------------------------------------------------------


def test_the_request_of_a_recall():
    call = RECALL.call(Message("wrong date", MessageOptions()), target())

    call.check()
    assert call.COMMAND == "group_msg_recall"
    assert call.payload() == {
        "GroupId": "g",
        "MsgSeqList": [{"MsgSeq": 418}],
        "Reason": "wrong date",
    }


def test_the_request_of_a_correction_has_the_whole_body():
    options = MessageOptions(
        image_url="https://example.com/a.png",
        image_width=10,
        image_height=20,
        mention_all=True,
        from_account="announcements",
    )
    call = CORRECTION.call(Message("23:30", options), target())
    sent = CHANNELS[Channel.GROUP_MESSAGE].call(Message("23:00", options), target())

    call.check()
    payload = call.payload()
    body = payload.pop("MsgBody")
    assert payload == {"GroupId": "g", "MsgSeq": 418}
    assert body[0] == {"MsgType": "TIMTextElem", "MsgContent": {"Text": "23:30"}}
    assert body[1:] == sent.payload()["MsgBody"][1:]


@pytest.mark.parametrize("channel", [RECALL, CORRECTION])
def test_a_change_of_an_unknown_message_is_no_call(channel):
    with pytest.raises(ValueError, match="has no MsgSeq"):
        channel.call(EVERYONE, Target("g", "Public", None))


def an_answer(fields: dict[str, object], channel=RECALL):
    """The result of a call whose response has these fields beside the ErrorCode 0."""
    call = channel.call(Message("x", MessageOptions()), target())
    outcome = Outcome(
        OutcomeKind.ACCEPTED, http_status=200, action_status="OK", error_code=0
    )
    return channel.classify(outcome, call.parse(fields))


@pytest.mark.parametrize(
    ("code", "needs_query"),
    [(10030, True), (10031, False), (10032, True), (10033, False), (10041, False)],
)
def test_the_verdict_of_a_recall_is_that_of_the_message(code, needs_query):
    result = an_answer({"RecallRetList": [{"MsgSeq": 418, "RetCode": code}]})

    assert result.outcome.kind is OutcomeKind.REJECTED
    assert result.outcome.error_code == code
    assert result.needs_query is needs_query


@settings(max_examples=200)
@given(st.integers(-(2**31), 2**31 - 1))
def test_no_other_code_than_0_is_a_recall(code):
    result = an_answer({"RecallRetList": [{"MsgSeq": 418, "RetCode": code}]})

    assert (result.outcome.kind is OutcomeKind.ACCEPTED) == (code == 0)
    assert result.outcome.error_code == code
    assert (result.msg_seq, result.msg_time) == (None, None)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"MsgSeq": 417, "RetCode": 0}],
        [{"MsgSeq": 418, "RetCode": 0}, {"MsgSeq": 419, "RetCode": 0}],
        [{"MsgSeq": 418}],
        [{"RetCode": 0}],
        [{"MsgSeq": "418", "RetCode": 0}],
        [{"MsgSeq": 418, "RetCode": "0"}],
        [{"MsgSeq": 418, "RetCode": None}],
        None,
        "x",
    ],
)
def test_an_answer_about_other_messages_is_no_verdict(rows):
    with pytest.raises(OtherShape):
        an_answer({"RecallRetList": rows})


def test_a_refused_correction_is_looked_up():
    refused = Outcome(OutcomeKind.REJECTED, http_status=200, error_code=20001)

    assert an_answer({}, CORRECTION).outcome.kind is OutcomeKind.ACCEPTED
    assert CORRECTION.classify(refused, None).needs_query
    other = Outcome(OutcomeKind.REJECTED, http_status=200, error_code=10010)
    assert not CORRECTION.classify(other, None).needs_query


@pytest.mark.parametrize("channel", [RECALL, CORRECTION])
@pytest.mark.parametrize(("group_type", "seconds"), [("Public", 30), ("AVChatRoom", 0)])
def test_the_state_of_a_message_is_queried_where_there_is_a_history(
    settings, channel, group_type, seconds
):
    settings.IM_QUERY_AFTER_SECONDS = 30
    at = channel.first_query_at(EVERYONE, target(group_type), ended_at=MOMENT)

    assert at == (MOMENT + timedelta(seconds=seconds) if seconds else None)


def in_place(place: Place, text: str = "") -> HistoryMessage:
    body = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}] if text else []
    return HistoryMessage(418, 1, 7, "administrator", place, body, {})


@pytest.mark.parametrize(
    ("channel", "message", "code", "state"),
    [
        (RECALL, in_place(Place.RECALLED), None, State.CHANGED),
        (RECALL, in_place(Place.RECALLED), 10002, State.CHANGED),
        (RECALL, in_place(Place.RECALLED), 10030, State.CHANGED_BEFORE),
        (RECALL, in_place(Place.RECALLED), 10032, State.CHANGED_BEFORE),
        (RECALL, in_place(Place.MESSAGE, "old"), 10032, State.AS_BEFORE),
        (CORRECTION, in_place(Place.MESSAGE, "new"), None, State.CHANGED),
        (CORRECTION, in_place(Place.MESSAGE, "old"), None, State.AS_BEFORE),
        (CORRECTION, in_place(Place.MESSAGE, "older"), None, State.AS_BEFORE),
        (CORRECTION, in_place(Place.MESSAGE, "new!"), None, State.OTHER),
        (CORRECTION, in_place(Place.MESSAGE), None, State.OTHER),
        (CORRECTION, in_place(Place.RECALLED), None, State.TAKEN_BACK),
    ],
)
def test_what_the_history_says_about_a_change(channel, message, code, state):
    assert channel.state(Change("new", ["older", "old"], code), message) is state


@pytest.mark.parametrize("word", WRITABLE)
def test_a_send_changes_nothing(word):
    message = in_place(Place.RECALLED)

    assert CHANNELS[word].state(Change("new", [], None), message) is State.OTHER
