"""The pace of the queries: as fast as the limit allows, but they give way to a send."""

from django.db.models import Sum

from notifications import conf
from notifications.models import Notification, Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import READING_HORIZON, RateLimiter
from notifications.tencent.calls.group_msg_get_simple import GroupMsgGetSimple

# Queries for each call of a running send, which uses the same process and database: at
# its full pace the machine has time left, and below it perhaps none.
SHARE_AT_FULL_PACE = 0.05
SHARE_BELOW = 0.02
FULL_PACE = 0.95  # of the rate limit

# Slots are taken so many seconds ahead: each time is a commit, which a send may wait for.
HORIZON = 1.0


class QueryPace:
    """The limiters of the calls of one run.

    ``rate``: of the queries, in calls per second, as of the last ``update``.
    """

    def __init__(self, sdk_app_id: int, clock: EngineClock) -> None:
        self.rate = 0.0
        self._sdk_app_id = sdk_app_id
        self._clock = clock
        self._limiters: dict[str, RateLimiter] = {}
        self._claimed: tuple[float, int] | None = (
            None  # machine time, calls of all kinds
        )

    def update(self, now: float) -> None:
        """Set the rate at which a send loses nothing; the whole one without a send.

        ``now`` is machine time. Two queries.
        """
        full = conf.calls_per_second()
        claimed = Pace.objects.aggregate(total=Sum("claimed"))["total"] or 0
        before, self._claimed = self._claimed, (now, claimed)
        if not Notification.objects.filter(status=Notification.Status.SENDING).exists():
            self.rate = full
        elif before is None:
            self.rate = min(full, 1.0)
        else:
            calls = (claimed - before[1]) / (now - before[0])
            share = SHARE_AT_FULL_PACE if calls >= FULL_PACE * full else SHARE_BELOW
            self.rate = min(full, max(1.0, share * calls))

    def limiter(self, command: str) -> RateLimiter:
        """The slots of a call; a repeat uses those of the sends, at their distance."""
        only_reads = command == GroupMsgGetSimple.COMMAND
        if command not in self._limiters:
            self._limiters[command] = RateLimiter(
                f"{self._sdk_app_id}:{command}",
                conf.calls_per_second(),
                self._clock,
                horizon=HORIZON if only_reads else READING_HORIZON,
            )
        limiter = self._limiters[command]
        if only_reads:
            limiter.rate = self.rate
        return limiter
