"""The journal: the notices, messages, recalls and corrections that the sandbox received.

Fault tests compare it with what the console says of them.

It stores totals and the latest calls of each group besides the entries, so that the
page takes the same time with ten entries and with a hundred thousand.
"""

import json
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

MAX_LATEST = 20

MAX_BODIES = 5000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One valid request. ``error_code`` is ``None`` if no verdict was sent."""

    received_at: float  # Unix seconds
    clock: float  # seconds of time.monotonic
    group_id: str
    content: str
    recipients: tuple[str, ...]
    error_code: int | None
    error_info: str
    fault: str
    shown: bool  # whether "members" see it


@dataclass(frozen=True, slots=True)
class MessageEntry(JournalEntry):
    """A valid request to send a message; ``content`` is its text as members see it.

    ``msg_seq`` and ``msg_time`` are ``None`` for a message that members do not see;
    ``dropped`` tells why they do not although ``error_code`` is 0.
    """

    from_account: str
    random: int
    msg_seq: int | None
    msg_time: int | None
    dropped: str
    body: Sequence[Mapping[str, Any]]  # as members see it
    pushed: str  # what the lock screen of members who are offline shows
    mentions_all: bool


RECALL = "group_msg_recall"

CORRECTION = "modify_group_msg"

# What others do with a message, in their app or with another program.
RECALL_BY_OTHERS = "recall_by_others"

DELETION = "deletion_by_others"

RECALLS = (RECALL, RECALL_BY_OTHERS)


@dataclass(frozen=True, slots=True)
class Amendment:
    """A valid request about one message: to take it back, or to correct it.

    ``content`` is the reason or the new text, ``done`` whether this request changed the
    message. ``ret_code`` is ``None`` without a verdict, and for a correction.
    """

    received_at: float  # Unix seconds
    clock: float  # seconds of time.monotonic
    command: str
    group_id: str
    msg_seq: int
    content: str
    error_code: int | None
    ret_code: int | None
    fault: str
    done: bool
    body: Sequence[Mapping[str, Any]] | None = None  # the new one of a correction


@dataclass(frozen=True, slots=True)
class AmendmentCount:
    """How often a message was to be changed, and how often it was.

    ``first_at``, in Unix seconds, is the time of the first request.
    """

    called: int
    done: int
    first_at: float


def count_amendments(
    amendments: Iterable[Amendment], command: str
) -> dict[tuple[str, int], AmendmentCount]:
    """The requests of one command by group ID and MsgSeq."""
    counts: dict[tuple[str, int], AmendmentCount] = {}
    for amendment in amendments:
        if amendment.command != command:
            continue
        message = (amendment.group_id, amendment.msg_seq)
        former = counts.get(message, AmendmentCount(0, 0, amendment.received_at))
        counts[message] = AmendmentCount(
            former.called + 1,
            former.done + amendment.done,
            min(former.first_at, amendment.received_at),
        )
    return counts


class Journal:
    """Entries in the order in which they were added. Thread-safe.

    With an existing file, its entries are the first ones.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._entries: list[JournalEntry] = []
        self._latest: dict[str, deque[JournalEntry]] = {}  # last called group last
        self._shown = 0
        self._messages_shown = 0
        self._amendments: list[Amendment] = []
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        if path:
            _remove_half_line(path)
            for entry in read_entries(path) if path.exists() else ():
                self._remember(entry)
            self._file = path.open("a", encoding="utf-8")

    def add(self, entry: JournalEntry | Amendment) -> None:
        line = json.dumps(asdict(entry), ensure_ascii=False) if self._file else ""
        with self._lock:
            self._remember(entry)
            if self._file:
                self._file.write(line + "\n")
                self._file.flush()  # a killed sandbox loses no entry

    def _remember(self, entry: JournalEntry | Amendment) -> None:
        if isinstance(entry, Amendment):
            self._amendments.append(entry)
            return
        self._entries.append(entry)
        self._shown += entry.shown
        if isinstance(entry, MessageEntry):
            self._messages_shown += entry.shown
        latest = self._latest.pop(entry.group_id, None)
        if latest is None:
            latest = deque(maxlen=MAX_LATEST)
        latest.append(entry)
        self._latest[entry.group_id] = latest

    def close(self) -> None:
        """Close the file; the entries can still be read."""
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None

    def __iter__(self) -> Iterator[JournalEntry]:
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        """The number of notices and messages."""
        return len(self._entries)

    def amendments(self) -> list[Amendment]:
        """The recalls and corrections, and what others did, which are no entries."""
        with self._lock:
            return list(self._amendments)

    @property
    def shown(self) -> int:
        """The number of notices and messages that "members" see."""
        return self._shown

    @property
    def messages_shown(self) -> int:
        return self._messages_shown

    def called_groups(self) -> list[str]:
        """The IDs of all called groups, the last called first."""
        with self._lock:
            return list(reversed(self._latest))

    def latest(self, group_id: str) -> Sequence[JournalEntry]:
        """The last calls for a group, newest first, ``MAX_LATEST`` at most."""
        with self._lock:
            return list(reversed(self._latest.get(group_id, ())))

    def calls_for(self, group_id: str) -> list[JournalEntry]:
        return [entry for entry in self if entry.group_id == group_id]

    def most_in_window(self, seconds: float = 1.0) -> int:
        """The largest number of notices within any period of ``seconds``."""
        return _most_in_window([entry.clock for entry in self], seconds)


def _remove_half_line(path: Path) -> None:
    """A sandbox that was killed while it wrote a line has not answered that call."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def read_entries(path: Path) -> Iterator[JournalEntry | Amendment]:
    """What the file of a journal has, in its order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            if "command" in fields:
                yield Amendment(**fields)
                continue
            fields["recipients"] = tuple(fields["recipients"])
            kind = MessageEntry if "random" in fields else JournalEntry
            yield kind(**fields)


class CallLog:
    """The arrival time and the code of the answer of each call, and the latest bodies."""

    def __init__(self) -> None:
        self._calls: dict[str, list[tuple[float, int | None]]] = {}
        self._bodies: dict[str, deque[bytes]] = {}
        self._lock = threading.Lock()

    def add(self, path: str, clock: float, code: int | None, body: bytes) -> None:
        """``code`` is ``None`` if no verdict was sent."""
        command = path.rpartition("/")[2]
        with self._lock:
            self._calls.setdefault(command, []).append((clock, code))
            self._bodies.setdefault(command, deque(maxlen=MAX_BODIES)).append(body)

    def bodies(self, command: str) -> list[bytes]:
        """What was asked with one call, the last ``MAX_BODIES`` requests."""
        with self._lock:
            return list(self._bodies.get(command, ()))

    def codes(self, command: str) -> list[int | None]:
        """The codes of all answers to one call, such as ``get_group_info``."""
        with self._lock:
            return [code for _clock, code in self._calls.get(command, [])]

    def clocks(self, command: str) -> list[float]:
        """The arrival time of each call, in seconds of time.monotonic."""
        with self._lock:
            return [clock for clock, _code in self._calls.get(command, [])]

    def most_in_window(self, command: str, seconds: float = 1.0) -> int:
        """The largest number of calls of one kind within any period of ``seconds``."""
        return _most_in_window(self.clocks(command), seconds)


def _most_in_window(moments: Iterable[float], seconds: float) -> int:
    clocks = sorted(moments)
    most = first = 0
    for last, clock in enumerate(clocks):
        while clock - clocks[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
