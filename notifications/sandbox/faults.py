"""Named faults: what goes wrong for a group, on request.

A fault is a name, for some with numbers behind colons: ``code:10010``,
``code_times:60007:2``, ``slow:500``. The table below is the only list: the command's
help, the page and the checks read it. What each does: ``misbehave.py``.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``effect`` continues the sentence "the stand-in …".

    numbers  how many stand behind the name
    shown    whether "members" see the notice
    answers  whether a whole, readable verdict goes out
    """

    effect: str
    numbers: int = 0
    shown: bool = True
    answers: bool = False


FAULTS = {
    # a verdict, but not the plain one
    "code": Fault("answers this ErrorCode", 1, shown=False, answers=True),
    "code_times": Fault(
        "answers this ErrorCode so many times, then works", 2, answers=True
    ),
    "shown_then_code": Fault(
        "shows the notice, but answers this ErrorCode", 1, answers=True
    ),
    "slow": Fault("answers so many milliseconds late", 1, answers=True),
    "no_length_close": Fault("answers without a length, then closes", answers=True),
    "chunked": Fault("answers in chunks", answers=True),
    "close_idle": Fault(
        "answers, promises to keep the connection, and closes it", answers=True
    ),
    # nothing was shown
    "reset_before": Fault("resets the connection before showing it", shown=False),
    "redirect": Fault("answers HTTP 307 to itself", shown=False),
    # shown, and the connection breaks
    "reset_after": Fault("shows the notice, then resets the connection"),
    "close_after": Fault("shows the notice, then closes without an answer"),
    "half_close": Fault("shows the notice, then closes its sending side only"),
    "close_in_head": Fault("shows the notice, then closes within the head"),
    "close_in_body": Fault("shows the notice, then closes within the body"),
    "truncated": Fault("shows the notice, then sends less than it announced"),
    "no_length_cut": Fault("shows the notice, then half an answer without a length"),
    "chunked_truncated": Fault("shows the notice, then closes within a chunk"),
    "chunked_garbage": Fault("shows the notice, then a chunk without a size"),
    # shown, and the answer is no verdict
    "garbage": Fault("shows the notice, then answers what is no HTTP"),
    "html": Fault("shows the notice, then answers a web page"),
    "empty_body": Fault("shows the notice, then answers nothing with HTTP 200"),
    "wrong_json_types": Fault("shows the notice, then answers ErrorCode “0”, a text"),
    "bool_code": Fault("shows the notice, then answers ErrorCode false"),
    "json_list": Fault("shows the notice, then answers a JSON list"),
    "packed_body": Fault("shows the notice, then answers packed with gzip"),
    "status": Fault("shows the notice, then answers this HTTP status", 1),
    "status_502": Fault("shows the notice, then answers HTTP 502"),
    # shown, and the answer does not end
    "no_answer": Fault("shows the notice and never answers"),
    "stall_in_body": Fault("shows the notice, then stops within the body"),
    "drip": Fault("shows the notice, then answers a byte at a time"),
    "drip_head": Fault("shows the notice, then a head a byte at a time"),
    "endless": Fault("shows the notice, then a body that never ends"),
}
NO_FAULT = Fault("works", answers=True)


def named(fault: str) -> Fault:
    """The entry of a fault with or without numbers; of ``""``, that all is well."""
    return FAULTS.get(fault.partition(":")[0], NO_FAULT)


def check_fault(fault: str) -> str:
    """The fault itself. Raises ``ValueError`` with the names there are."""
    name = fault.partition(":")[0]
    known = FAULTS.get(name)
    if fault and not (
        known and re.fullmatch(name + r":[0-9]{1,9}" * known.numbers, fault)
    ):
        raise ValueError(
            f"“{fault}” is no fault. There are: " + ", ".join(map(pattern, FAULTS))
        )
    if name == "status" and not 200 < int(fault.partition(":")[2]) < 600:
        raise ValueError(f"“{fault}” is no fault: a status is from 201 to 599.")
    return fault


def pattern(name: str) -> str:
    """How the fault is written: ``code_times:N:N``."""
    return name + ":N" * FAULTS[name].numbers


def table() -> str:
    """All faults, one a line, for the help of the command."""
    return "\n".join(
        f"  {pattern(name):<18} {fault.effect}" for name, fault in FAULTS.items()
    )
