"""The sandbox server: receives calls, records them, decides the answer.

HTTP is in ``handler.py``, the documented checks in ``protocol.py``, the calls that read
groups in ``group_calls.py``, those that send in ``sending.py``, those that read messages
in ``message_calls.py``, recalls and corrections in ``amendments.py``, faults in
``faults.py``, the pages in ``page.py``.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notifications.sandbox import (
    amendments,
    group_calls,
    message_calls,
    protocol,
    sending,
)
from notifications.sandbox.application import ACCOUNTS, MUTED, Application
from notifications.sandbox.faults import OF_RECALLS, check_fault, fault_info
from notifications.sandbox.groups import SandboxGroup, load_groups
from notifications.sandbox.handler import SandboxHttpServer
from notifications.sandbox.journal import (
    DELETION,
    RECALL_BY_OTHERS,
    Amendment,
    AmendmentCount,
    CallLog,
    Journal,
    MessageEntry,
    count_amendments,
)
from notifications.sandbox.messages import (
    REPEAT_SECONDS,
    MessageStore,
    StoredMessage,
)
from notifications.sandbox.protocol import Account, RequestRefused, SandboxAnswer

PATHS = (
    protocol.PATH,
    *group_calls.PATHS,
    protocol.ACCOUNT_CHECK_PATH,
    sending.SEND,
    sending.BROADCAST,
    *message_calls.CALLS,
    *amendments.READERS,
)

PATH_OF = {path.rpartition("/")[2]: path for path in PATHS}


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """The behaviour of the sandbox; delays in milliseconds.

    Its clock is ``clock_ahead`` seconds ahead of the machine's clock. Each call has its
    own rate limit: ``lists_per_second`` for the list of groups, one or five a second
    for broadcasts, ``calls_per_second`` for every other call. ``accounts`` exist beside
    the administrator and the members of all groups; ``muted`` exist, but cannot send. A
    page of the history has ``history_rows`` at most, even if more are asked for. The
    messages in an existing file ``journal_path`` are in the history again, in the state
    that they had.
    """

    account: Account = field(default_factory=Account)
    application: Application = field(default_factory=Application)
    groups: Iterable[SandboxGroup] = field(default_factory=load_groups)
    accounts: Iterable[str] = ACCOUNTS
    muted: Iterable[str] = MUTED
    calls_per_second: int = 200
    lists_per_second: int = 1
    history_rows: int = message_calls.MAX_ROWS
    repeat_seconds: float = REPEAT_SECONDS
    latency_ms: float = 0
    jitter_ms: float = 0
    clock_ahead: float = 0
    port: int = 0
    journal_path: Path | None = None


def _checked(application: Application) -> Application:
    unknown = application.switched_off.keys() - PATH_OF.keys()
    if unknown:
        raise ValueError(f"There is no call {', '.join(sorted(unknown))}.")
    return application


class SandboxServer:
    """Runs in its own thread between ``start`` and ``stop``."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self.account = self.config.account
        self.application = _checked(self.config.application)
        self.muted = frozenset(self.config.muted)
        self.accounts = {self.account.identifier, *self.config.accounts, *self.muted}
        self.groups = {group.group_id: group for group in self.config.groups}
        self.store = MessageStore(self.config.repeat_seconds)
        self.journal = Journal(self.config.journal_path)
        for entry in self.journal:
            if isinstance(entry, MessageEntry):
                self.store.restore(entry)
        for amendment in self.journal.amendments():
            self.store.restore_amendment(amendment)
        self.stopping = threading.Event()
        self.calls = CallLog()
        self._windows: dict[str, deque[float]] = {}
        self._next_faults: dict[str, deque[str]] = {}
        self._faulted: Counter[tuple[str, str]] = Counter()
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

    def set_fault(self, group_id: str, fault: str, *, command: str = "") -> None:
        """Set the fault of a group for one of its ``CALLS``, or for all of them.

        ``code_times`` starts to count again. Raises ``KeyError`` for an unknown group,
        ``ValueError`` for an unknown fault or call.
        """
        self.groups[group_id].set_fault(fault, command)
        with self._lock:
            self._faulted.pop((group_id, command), None)

    def fail_next(self, command: str, fault: str, times: int = 1) -> None:
        """Set the fault of the next ``times`` calls, such as ``get_group_info``.

        For a call to a group, it replaces the fault of the group. Raises ``KeyError``
        for an unknown call, ``ValueError`` for an unknown fault.
        """
        path = PATH_OF[command]
        with self._lock:
            self._next_faults.setdefault(path, deque()).extend(
                [check_fault(fault)] * times
            )

    def change_key(self, key: str) -> None:
        """Accept only signatures of this key from the next call on."""
        self.account = replace(self.account, key=key)

    def change_application(self, **changes: Any) -> None:
        """Change fields of ``application``. Raises ``ValueError`` for a wrong value."""
        self.application = _checked(replace(self.application, **changes))

    def messages(self, group_id: str) -> list[StoredMessage]:
        """The stored messages of a group in the order of MsgSeq, with their states."""
        return self.store.of_group(group_id)

    def recall_by_others(self, group_id: str, msg_seq: int) -> bool:
        """Another person or program takes a message back; return whether it was there."""
        done = self.store.recall(group_id, msg_seq, "by others") == 0
        self._record(RECALL_BY_OTHERS, group_id, msg_seq, "by others", done=done)
        return done

    def delete_by_others(self, group_id: str, msg_seq: int) -> bool:
        """A message is deleted: its place stays empty; return whether it was there."""
        done = self.store.get(group_id, msg_seq) is not None
        if done:
            self.store.lose(group_id, msg_seq)
        self._record(DELETION, group_id, msg_seq, "", done=done)
        return done

    def _record(
        self, command: str, group_id: str, msg_seq: int, content: str, *, done: bool
    ) -> None:
        self.journal.add(
            Amendment(
                time.time(),
                time.monotonic(),
                command,
                group_id,
                msg_seq,
                content,
                error_code=None,
                ret_code=None,
                fault="",
                done=done,
            )
        )

    def amendment_counts(self, command: str) -> dict[tuple[str, int], AmendmentCount]:
        """How often each message was to be recalled or corrected, and was.

        ``command`` is ``group_msg_recall`` or ``modify_group_msg``; the keys are group
        IDs and MsgSeqs.
        """
        return count_amendments(self.journal.amendments(), command)

    def now(self) -> float:
        """Unix seconds by the clock of the sandbox."""
        return time.time() + self.config.clock_ahead

    def receive(self, target: str, body: bytes) -> SandboxAnswer:
        """Check a call, decide the answer, record it. Invalid requests are not recorded."""
        clock = time.monotonic()
        try:
            path = protocol.check_address(target, self.account, self.now(), PATHS)
        except RequestRefused as refused:
            return SandboxAnswer(refused.code, refused.text)
        try:
            if path == protocol.PATH:
                answer = sending.show(self, body, clock)
            elif path == sending.SEND:
                answer = sending.send(self, body, clock)
            elif path in amendments.READERS:
                answer = amendments.amend(self, path, body, clock)
            else:
                answer = self._answer(path, body, clock)
        except RequestRefused as refused:
            answer = SandboxAnswer(refused.code, refused.text)
        has_verdict = fault_info(answer.fault).answers
        self.calls.add(path, clock, answer.code if has_verdict else None, body)
        return answer

    def _answer(self, path: str, body: bytes, clock: float) -> SandboxAnswer:
        """The answer to a call that changes nothing in a single group."""
        self.check_call(path, clock)
        answer = self.planned(path)
        name = answer.fault.partition(":")[0]
        if answer.code and name != "shown_then_code":
            return replace(answer, text="as was asked for")
        if answer.fault and not fault_info(answer.fault).shown:
            return answer
        try:
            if path == protocol.ACCOUNT_CHECK_PATH:
                fields = protocol.check_accounts(body, self._accounts())
            elif path == sending.BROADCAST:
                fields = sending.broadcast(self, body)
            elif path in message_calls.CALLS:
                fields = message_calls.CALLS[path](self, body)
            else:
                fields = group_calls.fields_of(path, body, self.groups)
        except RequestRefused as refused:
            return SandboxAnswer(refused.code, refused.text, answer.fault)
        return answer if answer.code else replace(answer, fields=fields)

    def _accounts(self) -> set[str]:
        """The accounts that exist, with the members of all groups."""
        members = (group.members for group in list(self.groups.values()))
        return self.accounts.union(*members)

    def has_account(self, account: str, group: SandboxGroup | None) -> bool:
        """Whether an account exists; that of a member of ``group`` is found at once."""
        if account in self.accounts or (group and account in group.members):
            return True
        return any(account in one.members for one in list(self.groups.values()))

    def wait(self, fault: str) -> None:
        """Sleep for the latency of the answer."""
        jitter = self._jitter.uniform(-1, 1) * self.config.jitter_ms
        delay = max(0.0, self.config.latency_ms + jitter)
        if fault.startswith("slow:"):
            delay += int(fault.split(":")[1])
        if delay:
            self.stopping.wait(delay / 1000)

    def check_call(self, path: str, clock: float) -> None:
        """Refuse calls above the limit and those that the application may not make."""
        if self._is_too_fast(path, clock):
            raise RequestRefused(60007, "too many calls")
        code = self.application.refusal_of(path.rpartition("/")[2])
        if code:
            raise RequestRefused(code, "the application may not make this call")

    def planned(self, path: str, group: SandboxGroup | None = None) -> SandboxAnswer:
        """The answer with the fault of the next call, or of the group."""
        with self._lock:
            faults = self._next_faults.get(path)
            next_fault = faults.popleft() if faults else ""
        command = path.rpartition("/")[2]
        of_call = group.call_faults.get(command, "") if group else ""
        fault = next_fault or of_call or (group.fault if group else "")
        name, *numbers = fault.split(":")
        if name in OF_RECALLS and path != amendments.RECALL:
            return SandboxAnswer(0)
        match name:
            case "code" | "shown_then_code":
                return SandboxAnswer(int(numbers[0]), fault=fault)
            case "code_times" if group and not next_fault:
                counted = (group.group_id, command if of_call else "")
                with self._lock:
                    self._faulted[counted] += 1
                    is_over = self._faulted[counted] > int(numbers[1])
                if is_over:
                    return SandboxAnswer(0)
                return SandboxAnswer(int(numbers[0]), fault=fault)
        return SandboxAnswer(0, fault=fault)

    def _is_too_fast(self, path: str, clock: float) -> bool:
        limit = self.config.calls_per_second
        if path == group_calls.LIST:
            limit = self.config.lists_per_second
        elif path == sending.BROADCAST:
            limit = 5 if self.application.has_edition("enterprise") else 1
        with self._lock:
            calls = self._windows.setdefault(path, deque())
            while calls and clock - calls[0] >= 1:
                calls.popleft()
            calls.append(clock)
            return len(calls) > limit
