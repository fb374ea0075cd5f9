"""The journal: what the stand-in really received. It is the truth in fault tests."""

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request whose form was right. ``error_code`` is ``None`` without answer."""

    received_at: float  # Unix seconds
    clock: float  # seconds of time.monotonic
    group_id: str
    content: str
    recipients: tuple[str, ...]
    error_code: int | None
    error_info: str
    fault: str
    shown: bool  # whether "members" got to see it


class Journal:
    def __init__(self, path: Path | None = None) -> None:
        self._entries: list[JournalEntry] = []
        self._lock = threading.Lock()
        self._path = path

    def add(self, entry: JournalEntry) -> None:
        with self._lock:
            self._entries.append(entry)
            if self._path:
                line = json.dumps(asdict(entry), ensure_ascii=False)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")

    def __iter__(self) -> Iterator[JournalEntry]:
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def calls_for(self, group_id: str) -> list[JournalEntry]:
        return [entry for entry in self if entry.group_id == group_id]

    def most_in_window(self, seconds: float = 1.0) -> int:
        """The most calls within any ``seconds`` in a row."""
        clocks = sorted(entry.clock for entry in self)
        most = first = 0
        for last, clock in enumerate(clocks):
            while clock - clocks[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most
