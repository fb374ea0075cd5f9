"""The table of faults: the help lists it, and each fault has its effect."""

import io

import pytest
from django.core.management import load_command_class

from notifications.sandbox import faults
from notifications.sandbox.faults import FAULTS, check_fault, fault_info, pattern
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.outcomes import OutcomeKind
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


@pytest.mark.parametrize("name", FAULTS)
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


def test_every_unusual_answer_is_of_a_fault():
    sent = {
        *faults.CLOSING_RESPONSES,
        *faults.KEEPING_RESPONSES,
        *faults.UNUSUAL_VERDICTS,
    }

    assert sent <= FAULTS.keys()
