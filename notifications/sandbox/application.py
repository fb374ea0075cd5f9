"""What the simulated application may do, and how its own server and Tencent behave.

The documents leave some of it open (for example the answer to a repeated message). Such
a choice is an option here, so that tests can try every possibility.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Accounts that exist without being members of a group; the muted ones may not send.
ACCOUNTS = ("announcements",)

MUTED = ("muted_sender",)

# An edition can do what the editions before it can.
EDITIONS = ("trial", "professional", "flagship", "enterprise")

EDITION_TOO_LOW = 10059

COMMAND_IS_OFF = 10026

REPEATS = {
    "old": "OK and the MsgSeq of the first message",
    "new": "OK and a new MsgSeq that no message has",
    "zero": "OK and MsgSeq 0",
    "error": "code 10004",
}

# RetCodes of a message that was taken back before.
SECOND_RECALLS = {
    "10032": "RetCode 10032: it cannot be recalled",
    "10030": "RetCode 10030: there is no such message",
    "0": "RetCode 0, as the first one",
}

CALLBACKS = {
    "": "there is none",
    "refuse": "refuses every message: code 10016",
    "fail": "fails, and the app does not deliver then: code 80003",
    "rewrite": "changes the text of every message",
}

REWRITTEN = " [changed by the app's server]"

NEW_CUSTOMER_LACKS = "send_group_system_notification"

RECALL = "group_msg_recall"

RECALLS_ARE_OFF = 10041


@dataclass(frozen=True, slots=True)
class Application:
    """``switched_off`` has the code of the refusal for each command.

    ``ValueError`` is raised for a value that does not exist.
    """

    edition: str = "flagship"
    new_customer: bool = False
    repeats: str = "old"
    callback: str = ""
    second_recall: str = "10032"
    switched_off: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value, known in (
            (self.edition, EDITIONS),
            (self.repeats, REPEATS),
            (self.callback, CALLBACKS),
            (self.second_recall, SECOND_RECALLS),
        ):
            if value not in known:
                raise ValueError(f"“{value}” is none of: {', '.join(known)}.")

    def refusal_of(self, command: str) -> int:
        """The code for a call that the application may not make; otherwise 0."""
        if command == RECALL and self.recalls_are_off:
            return 0
        if self.new_customer and command == NEW_CUSTOMER_LACKS:
            return self.switched_off.get(command, COMMAND_IS_OFF)
        return self.switched_off.get(command, 0)

    @property
    def recalls_are_off(self) -> bool:
        """This refusal is the only one that is answered for each message."""
        return self.switched_off.get(RECALL) == RECALLS_ARE_OFF

    def has_edition(self, lowest: str) -> bool:
        return EDITIONS.index(self.edition) >= EDITIONS.index(lowest)

    def describe(self) -> str:
        """One line: the edition, and what differs from an ordinary application."""
        parts = [f"{self.edition} edition"]
        if self.new_customer:
            parts.append("new customer")
        if self.callback:
            parts.append(f"the app's callback {CALLBACKS[self.callback]}")
        if self.switched_off:
            parts.append(f"switched off: {write_switched_off(self.switched_off)}")
        if self.repeats != "old":
            parts.append(f"a repeat is answered with {REPEATS[self.repeats]}")
        if self.second_recall != "10032":
            answer = SECOND_RECALLS[self.second_recall]
            parts.append(f"a second recall is answered with {answer}")
        return "; ".join(parts)


def write_switched_off(switched_off: Mapping[str, int]) -> str:
    """What ``read_switched_off`` reads."""
    return " ".join(f"{command}:{code}" for command, code in switched_off.items())


def read_switched_off(text: str) -> dict[str, int]:
    """Commands with or without ``:CODE``, separated by spaces.

    Raises ``ValueError`` for a code that is no number above 0.
    """
    switched_off = {}
    for word in text.split():
        command, _, code = word.partition(":")
        if code and not (code.isascii() and code.isdigit() and int(code)):
            raise ValueError(f"“{word}” has no code after the colon.")
        switched_off[command] = int(code or COMMAND_IS_OFF)
    return switched_off
