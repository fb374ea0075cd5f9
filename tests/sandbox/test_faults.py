"""The table of faults: the help lists it, and each fault has its effect."""

import io

import pytest
from django.core.management import load_command_class

from notifications.sandbox import faults
from notifications.sandbox.faults import (
    FAULTS,
    OF_RECALLS,
    check_fault,
    fault_info,
    pattern,
)
from notifications.sandbox.messages import State
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.calls.modify_group_msg import ModifyGroupMsg
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import OutcomeKind
from tests.sandbox.raw import send_message, wait_for
from tests.tencent.wire import IMPATIENT, client_for, send

pytestmark = pytest.mark.one_database

NUMBERS = {"code_times": ":60007:2", "status": ":503", "slow": ":1", "shown_late": ":1"}


def example(name: str) -> str:
    return name + NUMBERS.get(name, ":10010" * FAULTS[name].numbers)


@pytest.mark.parametrize(
    "fault",
    ["code", "code:x", "code:²", "code:1:2", "slow", "no_answer:1", "x", "status:200"],
)
def test_unknown_faults(fault):
    with pytest.raises(ValueError, match="is no fault"):
        check_fault(fault)


def test_the_help_of_the_command_lists_every_fault():
    text = io.StringIO()

    load_command_class("notifications", "im_sandbox").create_parser(
        "manage.py", "im_sandbox"
    ).print_help(text)

    for name, fault in FAULTS.items():
        assert f"{pattern(name)}  " in text.getvalue().replace("\n", "  ")
        assert fault.effect in text.getvalue()


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in OF_RECALLS])
def test_every_fault_does_what_its_entry_says(name):
    """The journal records whether it was shown, the client whether it is a verdict."""
    limits = {} if FAULTS[name].answers else IMPATIENT
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.add_group("g", "Public", fault=check_fault(example(name)))
        with client_for(server.url, **limits) as client:
            outcome = send(client)
        (entry,) = server.journal

    is_verdict = outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED)
    assert is_verdict == fault_info(name).answers
    assert entry.error_code == outcome.error_code
    assert entry.shown == (fault_info(name).shown and name != "code_times")
    assert entry.fault == example(name)


CALLS = [
    (GroupMsgRecall("g", [1], "wrong date"), True),
    (ModifyGroupMsg("g", "Public", 1, "23:30", MessageOptions()), False),
]


@pytest.mark.parametrize(("call", "is_of_group"), CALLS)
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_a_recall_and_of_a_correction(name, call, is_of_group):
    """The fault is that of the group, or of the next call.

    The answer is lost or not, with and without an effect; the history knows.
    """
    limits = {} if FAULTS[name].answers else IMPATIENT
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.add_group("g", "Public")
        send_message(server)
        if is_of_group:
            server.set_fault("g", example(name), command=call.COMMAND)
        else:
            server.fail_next(call.COMMAND, example(name))
        with client_for(server.url, **limits) as client:
            response = client.call(call)
        if name == "shown_late":
            wait_for(lambda: bool(server.journal.amendments()))
        (stored,) = server.messages("g")
        (amendment,) = server.journal.amendments()
        is_sent_again = send_message(server, Random=2)["ErrorCode"] == 0

    is_recall = isinstance(call, GroupMsgRecall)
    is_verdict = response.outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED)
    assert is_verdict == fault_info(name).answers
    assert amendment.error_code == response.outcome.error_code
    is_refused_first = is_of_group and name == "code_times"
    is_ignored = name in OF_RECALLS and not is_recall
    is_done = is_ignored or (FAULTS[name].shown and not is_refused_first)
    assert amendment.done == is_done
    assert (stored.state is State.RECALLED) == (is_recall and is_done)
    assert stored.corrected == (is_done and not is_recall)
    if is_recall and response.data is not None:
        assert response.data == {1: 10010 if name in OF_RECALLS else 0}
    counts = server.amendment_counts(call.COMMAND)[("g", 1)]
    assert (counts.called, counts.done) == (1, int(is_done))
    assert counts.first_at == amendment.received_at
    assert is_sent_again


def test_every_unusual_answer_is_of_a_fault():
    sent = {
        *faults.CLOSING_RESPONSES,
        *faults.KEEPING_RESPONSES,
        *faults.UNUSUAL_VERDICTS,
    }

    assert sent <= FAULTS.keys()
