"""The sandbox server: receives calls, records them, decides the answer.

HTTP is in ``handler.py``, the documented checks in ``protocol.py``, the calls that read
groups in ``group_calls.py``, faults in ``faults.py``, the pages in ``page.py``.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notifications.sandbox import group_calls, protocol
from notifications.sandbox.faults import check_fault, fault_info
from notifications.sandbox.groups import SandboxGroup, load_groups
from notifications.sandbox.handler import SandboxHttpServer
from notifications.sandbox.journal import CallLog, Journal, JournalEntry
from notifications.sandbox.protocol import Account, Notice, RequestRefused

PATHS = (protocol.PATH, *group_calls.PATHS, protocol.ACCOUNT_CHECK_PATH)

PATH_OF = {path.rpartition("/")[2]: path for path in PATHS}


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """The behaviour of the sandbox; delays in milliseconds.

    Its clock is ``clock_ahead`` seconds ahead of the machine's clock. Each call has its
    own rate limit: ``lists_per_second`` for the list of groups, ``calls_per_second``
    for every other call.
    """

    account: Account = field(default_factory=Account)
    groups: Iterable[SandboxGroup] = field(default_factory=load_groups)
    calls_per_second: int = 200
    lists_per_second: int = 1
    latency_ms: float = 0
    jitter_ms: float = 0
    clock_ahead: float = 0
    port: int = 0
    journal_path: Path | None = None


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """The answer to a call: a code with its text, unless ``fault`` changes it."""

    code: int
    text: str = ""
    fault: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


class SandboxServer:
    """Runs in its own thread between ``start`` and ``stop``."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self.account = self.config.account
        self.groups = {group.group_id: group for group in self.config.groups}
        self.journal = Journal(self.config.journal_path)
        self.stopping = threading.Event()
        self.calls = CallLog()
        self._windows: dict[str, deque[float]] = {}
        self._next_faults: dict[str, deque[str]] = {}
        self._faulted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._jitter = random.Random()  # noqa: S311  delays only
        self._server = SandboxHttpServer(self.config.port)
        self._server.sandbox = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._thread.join()
        self._server.server_close()
        self.journal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def add_group(
        self,
        group_id: str,
        group_type: str,
        name: str = "",
        fault: str = "",
        *,
        member_count: int = 0,
        members: Iterable[str] = (),
    ) -> None:
        self.groups[group_id] = SandboxGroup(
            group_id,
            group_type,
            name or group_id,
            check_fault(fault),
            member_count,
            frozenset(members),
        )

    def set_fault(self, group_id: str, fault: str) -> None:
        """Set the fault of a group; ``code_times`` starts to count again.

        Raises ``KeyError`` for an unknown group, ``ValueError`` for an unknown fault.
        """
        group = self.groups[group_id]
        group.fault = check_fault(fault)
        with self._lock:
            self._faulted.pop(group_id, None)

    def fail_next(self, command: str, fault: str, times: int = 1) -> None:
        """Set the fault of the next ``times`` reading calls, such as ``get_group_info``.

        Raises ``KeyError`` for an unknown call, ``ValueError`` for an unknown fault.
        """
        path = PATH_OF[command]
        with self._lock:
            self._next_faults.setdefault(path, deque()).extend(
                [check_fault(fault)] * times
            )

    def change_key(self, key: str) -> None:
        """Accept only signatures of this key from the next call on."""
        self.account = replace(self.account, key=key)

    def now(self) -> float:
        """Unix seconds by the clock of the sandbox."""
        return time.time() + self.config.clock_ahead

    def receive(self, target: str, body: bytes) -> SandboxAnswer:
        """Check a call, decide the answer, record it. Invalid requests are not recorded."""
        clock = time.monotonic()
        try:
            path = protocol.check_address(target, self.account, self.now(), PATHS)
            if path != protocol.PATH:
                return self._read(path, body, clock)
            notice = protocol.read_body(body)
        except RequestRefused as refused:
            return SandboxAnswer(refused.code, refused.text)
        answer = self._decide(notice, clock)
        fault = fault_info(answer.fault)
        is_refused = answer.code != 0 and not answer.fault.startswith("shown_")
        self.journal.add(
            JournalEntry(
                time.time(),
                clock,
                notice.group_id,
                notice.content,
                notice.recipients,
                answer.code if fault.answers else None,
                answer.text,
                answer.fault,
                fault.shown and not is_refused,
            )
        )
        return answer

    def _read(self, path: str, body: bytes, clock: float) -> SandboxAnswer:
        answer = self._read_answer(path, body, clock)
        has_verdict = fault_info(answer.fault).answers
        self.calls.add(path, clock, answer.code if has_verdict else None)
        return answer

    def _read_answer(self, path: str, body: bytes, clock: float) -> SandboxAnswer:
        if self._is_too_fast(path, clock):
            return SandboxAnswer(60007, "too many calls")
        with self._lock:
            faults = self._next_faults.get(path)
            fault = faults.popleft() if faults else ""
        if fault.startswith("code:"):
            return SandboxAnswer(int(fault.split(":")[1]), "as was asked for", fault)
        try:
            if path == protocol.ACCOUNT_CHECK_PATH:
                fields = protocol.check_accounts(body, self._accounts())
            else:
                fields = group_calls.fields_of(path, body, self.groups)
        except RequestRefused as refused:
            return SandboxAnswer(refused.code, refused.text, fault)
        return SandboxAnswer(0, fault=fault, fields=fields)

    def _accounts(self) -> set[str]:
        """The accounts that exist: the administrator and the members of all groups."""
        members = (group.members for group in list(self.groups.values()))
        return {self.config.account.identifier}.union(*members)

    def wait(self, fault: str) -> None:
        """Sleep for the latency of the answer."""
        jitter = self._jitter.uniform(-1, 1) * self.config.jitter_ms
        delay = max(0.0, self.config.latency_ms + jitter)
        if fault.startswith("slow:"):
            delay += int(fault.split(":")[1])
        if delay:
            self.stopping.wait(delay / 1000)

    def _decide(self, notice: Notice, clock: float) -> SandboxAnswer:
        if self._is_too_fast(protocol.PATH, clock):
            return SandboxAnswer(60007, "too many calls")
        group = self.groups.get(notice.group_id)
        try:
            protocol.check_group(notice, group.type if group else None)
        except RequestRefused as refused:
            return SandboxAnswer(refused.code, refused.text)
        fault = group.fault if group else ""
        name, *numbers = fault.split(":")
        match name:
            case "code" | "shown_then_code":
                return SandboxAnswer(int(numbers[0]), fault=fault)
            case "code_times":
                with self._lock:
                    self._faulted[notice.group_id] += 1
                    is_over = self._faulted[notice.group_id] > int(numbers[1])
                if is_over:
                    return SandboxAnswer(0)
                return SandboxAnswer(int(numbers[0]), fault=fault)
        return SandboxAnswer(0, fault=fault)

    def _is_too_fast(self, path: str, clock: float) -> bool:
        is_list = path == group_calls.LIST
        config = self.config
        limit = config.lists_per_second if is_list else config.calls_per_second
        with self._lock:
            calls = self._windows.setdefault(path, deque())
            while calls and clock - calls[0] >= 1:
                calls.popleft()
            calls.append(clock)
            return len(calls) > limit
