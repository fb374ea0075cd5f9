"""The verdict on a delivery from pages of the history: every case, without a database."""

import itertools
import json
from typing import Any

import pytest

from notifications.delivery.reconcile.history import (
    CLOCK_MARGIN,
    MAX_PAGES,
    Searched,
    as_json,
    is_altered,
    judge,
    next_number,
    stored_answer,
    without_others,
)
from notifications.tencent.calls.group_msg_get_simple import (
    GroupMsgGetSimple,
    HistoryMessage,
    HistoryPage,
    Place,
)

SENT = 1_796_043_300
OURS = 3_141_592_653
SEARCHED = Searched(OURS, "announcements", SENT - CLOCK_MARGIN)


def message(
    seq: int, at: int | None = SENT, random: int | None = None, **changes: Any
) -> HistoryMessage:
    values = {
        "from_account": "anna",
        "place": Place.MESSAGE,
        "body": [text("hello")],
    } | changes
    raw = {
        "From_Account": values["from_account"],
        "IsPlaceMsg": int(values["place"]),
        "MsgBody": values["body"],
        "MsgRandom": seq if random is None else random,
        "MsgSeq": seq,
        "MsgTimeStamp": at,
    }
    return HistoryMessage(seq, at, raw["MsgRandom"], raw=raw, **values)


def text(words: str) -> dict[str, Any]:
    return {"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}


def ours(seq: int, **changes: Any) -> HistoryMessage:
    values = {"random": OURS, "from_account": "announcements"} | changes
    return message(seq, **values)


def older(seq: int) -> HistoryMessage:
    return message(seq, SENT - CLOCK_MARGIN - 1)


def page(*messages: HistoryMessage, is_finished: bool = True) -> HistoryPage:
    return HistoryPage(messages, is_finished)


def verdict(*pages: HistoryPage) -> str | None:
    finding = judge(SEARCHED, pages)
    return None if finding is None else finding.verdict.value


@pytest.mark.parametrize("place", [Place.MESSAGE, Place.RECALLED])
def test_a_message_in_the_history_is_present(place):
    finding = judge(SEARCHED, [page(message(9), ours(8, place=place), message(7))])

    assert finding is not None
    assert (finding.verdict, finding.message.msg_seq) == ("present", 8)


def test_it_is_present_wherever_it_is():
    """The clocks may differ, so a message older than the interval counts as well."""
    assert verdict(page(older(9), ours(8, at=SENT - 3600))) == "present"
    assert verdict(page(message(40), message(39)), page(ours(38))) == "present"


def test_of_two_the_first_is_taken():
    finding = judge(SEARCHED, [page(ours(9), ours(8), older(7))])

    assert finding.message.msg_seq == 8


def test_it_is_absent_when_the_history_reaches_back_far_enough():
    assert verdict(page(message(9), message(8), older(7))) == "absent"


def test_the_interval_begins_a_minute_before_the_first_call():
    just_within = message(8, SENT - CLOCK_MARGIN)
    assert verdict(page(message(9), just_within)) is None
    assert verdict(page(message(9), older(8))) == "absent"


def test_it_is_absent_from_a_group_without_messages():
    assert verdict(page()) == "absent"


def test_it_is_absent_when_the_first_message_of_the_group_is_reached():
    assert verdict(page(message(2), message(1))) == "absent"
    assert verdict(page(message(9), message(8)), page()) == "absent"


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_page_is_not_the_last_one_because_it_is_short(is_finished):
    """IsFinished 1 is about the requested messages: 20 of them may be all."""
    assert verdict(page(message(9), message(8), is_finished=is_finished)) is None


def test_no_older_messages_and_not_all_of_them_is_unclear():
    """IsFinished 0 and 2."""
    assert verdict(page(is_finished=False)) == "unclear"
    assert verdict(page(message(9)), page(is_finished=False)) == "unclear"


def test_the_next_page_begins_before_the_smallest_number():
    assert next_number([]) is None
    assert next_number([page(message(9), message(8))]) == 7
    assert next_number([page(message(8), message(9))]) == 7


def pages_of(count: int) -> list[HistoryPage]:
    numbers = iter(range(100_000, 0, -1))
    return [
        page(*(message(seq) for seq in itertools.islice(numbers, 20)))
        for _n in range(count)
    ]


def test_a_busy_group_is_unclear_after_a_thousand_messages():
    assert verdict(*pages_of(MAX_PAGES - 1)) is None
    finding = judge(SEARCHED, pages_of(MAX_PAGES))
    assert finding.verdict == "unclear"
    assert "1000 messages" in finding.detail


def test_the_last_page_of_a_busy_group_counts():
    pages = pages_of(MAX_PAGES - 1)
    assert verdict(*pages, page(ours(next_number(pages)))) == "present"
    assert verdict(*pages, page(older(next_number(pages)))) == "absent"


@pytest.mark.parametrize("at", [SENT, None, 0])
def test_a_place_without_a_message_is_unclear(at):
    gone = message(8, at, place=Place.GONE, from_account="", random=0)
    assert verdict(page(message(9), gone, older(7))) == "unclear"


@pytest.mark.parametrize("account", ["", "announcements"])
def test_the_place_of_the_message_itself_is_unclear(account):
    gone = ours(8, place=Place.GONE, from_account=account)
    assert verdict(page(message(9), gone, older(7))) == "unclear"


def test_a_place_outside_the_interval_does_not_matter():
    gone = message(6, place=Place.GONE, from_account="", random=0)
    assert verdict(page(message(9), message(8), older(7), gone)) == "absent"
    gone_before = message(8, SENT - 3600, place=Place.GONE, from_account="", random=0)
    assert verdict(page(message(9), gone_before, older(7))) == "absent"


def test_a_place_does_not_show_that_the_history_reaches_back():
    gone = message(8, SENT - 3600, place=Place.GONE, from_account="", random=0)
    assert verdict(page(message(9), gone)) is None


def test_a_place_does_not_hide_a_message_further_back():
    gone = message(9, place=Place.GONE, from_account="", random=0)
    assert verdict(page(gone, message(8))) is None
    assert verdict(page(gone, message(8)), page(ours(7))) == "present"


def test_the_number_from_another_account_is_unclear():
    """It cannot be ours, but that it is not there cannot be told either."""
    foreign = message(8, random=OURS)
    assert verdict(page(message(9), foreign)) is None
    assert verdict(page(message(9), foreign, older(7))) == "unclear"
    assert verdict(page(foreign), page(ours(7))) == "present"


def test_another_number_from_our_account_is_another_message():
    other = ours(8, random=OURS - 1)
    assert verdict(page(message(9), other, older(7))) == "absent"


def test_missing_numbers_are_unclear():
    assert verdict(page(message(9), message(7), older(6))) == "unclear"
    assert verdict(page(message(9)), page(message(7), older(6))) == "unclear"
    assert verdict(page(message(9), message(8), older(6))) == "unclear"


def test_missing_numbers_before_the_interval_do_not_matter():
    assert verdict(page(message(9), older(8), older(5))) == "absent"


def test_the_order_within_a_page_does_not_matter():
    assert verdict(page(older(7), message(8), message(9))) == "absent"
    assert verdict(page(message(7), older(6), message(8), ours(9))) == "present"


def test_a_system_message_without_a_number_is_one_of_the_group():
    joined = message(8, random=None)
    without = HistoryMessage(8, SENT, None, "", Place.MESSAGE, [], joined.raw)
    assert verdict(page(message(9), without, older(7))) == "absent"


def test_a_clock_that_is_behind_moves_the_interval():
    """With Tencent's clock 90 s behind, this message may be from after the call."""
    seen = [page(message(9), message(8, SENT - 100))]

    assert judge(SEARCHED, seen).verdict == "absent"
    assert (
        judge(Searched(OURS, "announcements", SENT - 90 - CLOCK_MARGIN), seen) is None
    )


@pytest.mark.parametrize("rows", range(1, 4))
def test_every_arrangement_of_a_small_history(rows):
    """All verdicts of up to three messages agree with the rules, one by one."""
    kinds = {
        "ours": ours,
        "other": message,
        "gone": lambda seq: message(seq, place=Place.GONE, from_account="", random=0),
        "older": older,
        "foreign": lambda seq: message(seq, random=OURS),
    }
    for names in itertools.product(kinds, repeat=rows):
        messages = [kinds[name](rows - place) for place, name in enumerate(names)]
        seen = names[: names.index("older") + 1] if "older" in names else names
        if "ours" in names:
            expected = "present"
        elif "gone" in seen or "foreign" in seen:
            expected = "unclear"
        else:
            expected = "absent"
        assert verdict(page(*messages)) == expected, names


def test_another_text_is_a_difference():
    sent = [text("Doors close at 22:00")]
    image = {"MsgType": "TIMImageElem", "MsgContent": {"UUID": "1"}}

    assert not is_altered(sent, ours(8, body=[text("Doors close at 22:00")]))
    assert not is_altered(sent, ours(8, body=[text("Doors close at 22:00"), image]))
    assert is_altered(sent, ours(8, body=[text("Doors close at 22:00 [ad]")]))
    assert is_altered(sent, ours(8, body=[]))
    assert is_altered(sent, ours(8, body=["nonsense", {"MsgType": "TIMTextElem"}]))


def test_a_message_that_was_taken_back_has_no_text_to_compare():
    assert not is_altered([text("x")], ours(8, body=[], place=Place.RECALLED))


def test_what_other_people_wrote_is_not_kept():
    fields = {
        "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "GroupId": "g",
        "IsFinished": 1, "RspMsgList": [], "Nickname": "Anna",
    }  # fmt: skip
    kept = without_others(SEARCHED, page(message(9), ours(8), message(7)))

    stored = stored_answer(fields, kept)

    assert [row["MsgSeq"] for row in stored["RspMsgList"]] == [9, 8, 7]
    assert stored["RspMsgList"][0] == {
        "MsgSeq": 9, "MsgRandom": 9, "MsgTimeStamp": SENT, "IsPlaceMsg": 0,
    }  # fmt: skip
    assert stored["RspMsgList"][1] == ours(8).raw
    assert "anna" not in as_json([stored]).lower()
    assert [m.body for m in kept.messages] == [[], ours(8).body, []]


def test_the_stored_text_can_be_stored():
    kept = as_json([{"Text": "a\x00b\ud800"}])

    kept.encode()
    assert "\x00" not in kept
    json.loads(kept)


@pytest.mark.parametrize(
    "row",
    [
        {"MsgSeq": 8},
        {"MsgSeq": "8", "IsPlaceMsg": 0, "From_Account": "a", "MsgRandom": 1, "MsgTimeStamp": 1},
        {"MsgSeq": 8, "IsPlaceMsg": 3, "From_Account": "a", "MsgRandom": 1, "MsgTimeStamp": 1},
        {"MsgSeq": 8, "IsPlaceMsg": 0, "From_Account": "a", "MsgTimeStamp": 1},
    ],
)  # fmt: skip
def test_a_malformed_page_is_no_page(row):
    fields = {"GroupId": "g", "IsFinished": 1, "RspMsgList": [row]}
    with pytest.raises(ValueError, match=r"MsgSeq|IsPlaceMsg|MsgRandom"):
        GroupMsgGetSimple("g").parse(fields)
