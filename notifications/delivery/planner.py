"""Plans the claims of one worker: how many calls of each channel, and their slots.

Each channel has its own call, and so its own row of the pace. The channels share the HTTP
threads of the worker.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings

from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Channel
from notifications.delivery.claim import Claim, Running, channels_due, claim, running
from notifications.delivery.restore_guard import RestoreGuard
from notifications.models import Installation, Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import RateLimiter
from notifications.rate_limit.slots import HORIZON, save


class ChannelPlanner:
    """Plans the claims of one channel and stores its state between them."""

    def __init__(self, channel: Channel, limiter: RateLimiter) -> None:
        self.channel = channel
        self.limiter = limiter
        # Whether the last claim used all its slots, so that more deliveries may be due.
        self.more_due = False
        self._future_slots: deque[float] = deque()  # of claims, as machine time
        self._last_served = 0  # id of the notification of the last claim

    def claim(
        self,
        worker_id: int,
        row: Pace,
        notifications: Sequence[Running],
        threads: int,
        now: datetime,
    ) -> list[Claim]:
        """Claim due deliveries, each with the slot for its call. ``row`` is locked."""
        slots = self.limiter.free_slots(row, threads)
        moments = slots.moments()[: self._max_new_claims(slots.interval)]
        if not moments:
            return []
        clock = self.limiter.clock
        claims = claim(
            worker_id,
            self.channel,
            notifications,
            [clock.to_machine_time(at) for at in moments],
            now,
            last_served=self._last_served,
        )
        self.more_due = len(claims) == len(moments)
        if claims:
            row.next_slot = slots.at(len(claims))
            row.claimed += len(claims)
            save(row)
            self._last_served = claims[-1].notification_id
        self._future_slots.extend(claim.slot for claim in claims)
        return claims

    def _max_new_claims(self, interval: float) -> int:
        """Return how many more claims may wait for their slots.

        A crash makes them unconfirmed although they were not called. So there are never
        more than the rate allows within the horizon, however long commits take.
        """
        now = self.limiter.clock.machine()
        while self._future_slots and self._future_slots[0] <= now:
            self._future_slots.popleft()
        limit = math.ceil(self.limiter.horizon / interval)
        return max(0, limit - len(self._future_slots))


class ClaimPlanner:
    """Plans the claims of all channels.

    Call ``claim`` inside a transaction, and ``committed`` after it. The rows of the pace
    are locked in the order of their names.
    """

    def __init__(
        self,
        sdk_app_id: int,
        calls_per_second: float,
        clock: EngineClock,
    ) -> None:
        self.restore_guard = RestoreGuard(
            Path(settings.STATE_DIR), str(Installation.present().key)
        )
        planners = [
            ChannelPlanner(
                channel,
                RateLimiter(
                    f"{sdk_app_id}:{channel.command}",
                    calls_per_second,
                    clock,
                    horizon=HORIZON,
                ),
            )
            for channel in CHANNELS.values()
        ]
        planners.sort(key=lambda planner: planner.limiter.name)
        self.planners: dict[str, ChannelPlanner] = {
            planner.channel.word: planner for planner in planners
        }
        self._due: set[str] = set()  # channels that may have due deliveries
        self._first = 0  # which planner has the first choice of threads
        self._claimed: dict[str, int] = {}  # by name of the row, of the last claim

    def check_restored(self) -> None:
        """Raise ``DatabaseIsOlder`` when the database was restored from a backup."""
        names = [planner.limiter.name for planner in self.planners.values()]
        rows = dict(Pace.objects.filter(name__in=names).values_list("name", "claimed"))
        for name in names:
            self.restore_guard.check(name, rows.get(name, 0))

    def should_claim(self, now: datetime) -> bool:
        """Return whether to begin a transaction for a claim. Reads without a lock."""
        if not any(self.planners[word].more_due for word in self._due):
            self._due = channels_due(now)
        return any(
            self.planners[word].limiter.may_have_slots() for word in sorted(self._due)
        )

    def claim(self, worker_id: int, free_threads: int, now: datetime) -> list[Claim]:
        """Claim due deliveries of each channel; the channels share the free threads.

        Raises ``DatabaseIsOlder`` when the database was restored from a backup.
        """
        due = [planner for word, planner in self.planners.items() if word in self._due]
        rows = {planner: self._locked_row(planner) for planner in due}
        notifications = running(now)
        self._first += 1
        self._claimed.clear()
        claims: list[Claim] = []
        for index in range(len(due)):
            planner = due[(self._first + index) % len(due)]
            left = free_threads - len(claims)
            claims += planner.claim(
                worker_id,
                rows[planner],
                [one for one in notifications if one.channel == planner.channel.word],
                -(-left // (len(due) - index)),
                now,
            )
            self._claimed[planner.limiter.name] = rows[planner].claimed
        # A channel that was not due before has its turn in the next claim.
        self._due = {one.channel for one in notifications}
        return claims

    def committed(self) -> None:
        """Update the estimates after the commit of a claim."""
        for planner in self.planners.values():
            if planner.limiter.name in self._claimed:
                planner.limiter.committed()
        for name, claimed in self._claimed.items():
            self.restore_guard.committed(name, claimed)

    def slow_down(self, words: Iterable[str]) -> None:
        """Halve the rate of these channels for a minute, inside a transaction."""
        for word, planner in self.planners.items():
            # A claim may follow in this transaction: lock the rows in the same order.
            planner.limiter.lock()
            if word in words:
                planner.limiter.slow_down()

    def _locked_row(self, planner: ChannelPlanner) -> Pace:
        row = planner.limiter.lock()
        self.restore_guard.check(planner.limiter.name, row.claimed)
        return row
