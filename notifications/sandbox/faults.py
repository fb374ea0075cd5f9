"""Named faults: what goes wrong for a group, on request.

A fault is a name, for some with numbers behind colons: ``code:10010``,
``code_times:60007:2``, ``slow:500``.
"""

import re

# name → (pattern of the numbers behind it, what happens)
FAULTS = {
    "code": (r":\d+", "answers this ErrorCode"),
    "code_times": (r":\d+:\d+", "answers this ErrorCode so many times, then works"),
    "shown_then_code": (r":\d+", "shows the notice, but answers this ErrorCode"),
    "slow": (r":\d+", "answers so many milliseconds late"),
    "no_answer": (r"", "shows the notice and never answers"),
    "reset_before": (r"", "breaks the connection before the notice is shown"),
    "reset_after": (r"", "shows the notice, then breaks the connection"),
    "close_after": (r"", "shows the notice, then closes without an answer"),
    "truncated": (r"", "shows the notice, then answers in part"),
    "garbage": (r"", "shows the notice, then answers what is no HTTP"),
    "html": (r"", "shows the notice, then answers a web page"),
    "bool_code": (r"", "shows the notice, then answers ErrorCode false"),
    "status_502": (r"", "shows the notice, then answers HTTP 502"),
    "redirect": (r"", "answers HTTP 307 to itself"),
}


def check_fault(fault: str) -> str:
    """The fault itself. Raises ``ValueError`` with the names there are."""
    name, _, _ = fault.partition(":")
    if fault and (
        name not in FAULTS or not re.fullmatch(name + FAULTS[name][0], fault)
    ):
        raise ValueError(
            f"“{fault}” is no fault. There are: "
            + ", ".join(name + (":N" if p else "") for name, (p, _) in FAULTS.items())
        )
    return fault
