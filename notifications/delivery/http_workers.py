"""Sender threads: they do HTTP and nothing else.

A thread takes a claim, opens its connection ahead of time, waits for the slot and
makes the call. What came of it goes back through ``outbox``. No thread touches the
database.
"""

import queue
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from notifications.conf import Connection
from notifications.delivery.claim import Claim
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import wait_for_slot
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a claim.

    ``outcome`` is ``None`` when the slot was missed: no call was made. ``defect`` is
    an exception that only a mistake in this program can raise.
    """

    claim: Claim
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None = None
    defect: Exception | None = None


class Senders:
    """``size`` threads, each with a client and a connection of its own."""

    def __init__(self, connection: Connection, clock: EngineClock, size: int) -> None:
        self.connection = connection
        self.clock = clock
        self.inbox: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self.threads = [
            threading.Thread(target=self._run, name=f"sender-{n}", daemon=True)
            for n in range(size)
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def submit(self, claim: Claim) -> None:
        self.inbox.put(claim)

    def results(self) -> list[Result]:
        """All results that have come in since the last call; never waits."""
        found = []
        while not self.outbox.empty():
            found.append(self.outbox.get())
        return found

    def stop(self) -> None:
        """End all threads; calls under way are finished first."""
        for _thread in self.threads:
            self.inbox.put(None)
        for thread in self.threads:
            thread.join()

    def _run(self) -> None:
        client = self.connection.client()
        try:
            while (claim := self.inbox.get()) is not None:
                self.outbox.put(self._carry_out(client, claim))
        finally:
            client.close()

    def _carry_out(self, client: ImClient, claim: Claim) -> Result:
        started = datetime.now(UTC)
        try:
            outcome = client.connect()
            if outcome is None:
                is_in_time = wait_for_slot(claim.slot, self.clock)
                started = datetime.now(UTC)
                if is_in_time:
                    outcome = client.send_group_system_notification(
                        claim.group_id,
                        claim.group_type,
                        claim.content,
                        claim.recipients,
                    )
        except Exception as error:  # noqa: BLE001  the worker raises it in its own thread
            return Result(claim, started, datetime.now(UTC), defect=error)
        # The wall clock may be set back during a call; a row ends after its start.
        return Result(claim, started, max(started, datetime.now(UTC)), outcome)
