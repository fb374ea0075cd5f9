"""One run: what is asked next, what came back, when it has ended.

The list is read page by page, as slowly as Tencent wants it, while the details of what
was listed so far are asked for beside it. All of it can be done again: what this object
holds in memory is only what is being asked at the moment.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from notifications import conf
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import listing
from notifications.groups.sync.details import write_details
from notifications.groups.sync.requests import DetailsRequest, ListRequest
from notifications.groups.sync.retry import SyncDecision, SyncStep, decide
from notifications.models import GroupSync, Notification, SyncItem
from notifications.rate_limit.backoff import backoff
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import RateLimiter
from notifications.tencent.calls.get_appid_group_list import (
    GetAppidGroupList,
    GroupPage,
)
from notifications.tencent.calls.get_group_info import GetGroupInfo, GroupInfo
from notifications.tencent.outcomes import Outcome, Reason

logger = logging.getLogger(__name__)


THREADS = 16

# The longest wait for an answer before looking what else can be done, in seconds.
ROUND = 0.02

# So many batches are written in one transaction: a send waits for none for long.
BATCHES_PER_WRITE = 4

# There is only one under way at a time, and what comes late moves the next one: only the
# way to Tencent, longer for one than for the next, has to be allowed for.
LISTS_PER_SECOND = 0.97 * GetAppidGroupList.CALLS_PER_SECOND

# While notices are sent, details are asked for at this share of their pace: both share
# the process and the database. The list takes longer than the details all the same.
SHARE_BESIDE_A_SEND = 0.25

LOOK_FOR_SENDS_EVERY = 1.0

SMALLEST_PAGE = 100


class SyncRun:
    """Goes on with ``sync`` from wherever it is; ``actor`` is named at its end.

    ``may_go_on`` is asked in every round, ``pause`` is called between two pieces of
    work on the database. ``passes`` are the types to list, ``page_limit`` and ``block``
    how many groups are read and written at a time; ``backoff`` gives the seconds
    after a failure.
    """

    def __init__(
        self,
        sync: GroupSync,
        im: conf.Connection,
        clock: EngineClock,
        *,
        actor: str,
        may_go_on: Callable[[], bool],
        pause: Callable[[], None],
        threads: int = THREADS,
        lists_per_second: float = LISTS_PER_SECOND,
        passes: Sequence[str] = listing.PASSES,
        page_limit: int = GetAppidGroupList.MAX_GROUPS,
        block: int = listing.BLOCK,
        backoff: Callable[[int, float], float] = backoff,
    ) -> None:
        self.sync = sync
        self.clock = clock
        self.actor = actor
        self.may_go_on = may_go_on
        self.pause = pause
        app = im.endpoint.sdk_app_id
        self.lists = RateLimiter(
            f"{app}:{GetAppidGroupList.COMMAND}", lists_per_second, clock
        )
        self.infos = RateLimiter(
            f"{app}:{GetGroupInfo.COMMAND}", conf.calls_per_second(), clock
        )
        self.full_pace = self.infos.rate
        self.next_look = 0.0
        self.jitter = random.Random()  # noqa: S311  spreads retries, guards no secret
        self.http_workers: HttpWorkers[ListRequest | DetailsRequest] = HttpWorkers(
            im, clock, threads
        )
        self.passes = passes
        self.page_limit = page_limit
        self.block = block
        self.backoff = backoff
        self.listing: ListRequest | None = None  # waiting for its moment
        self.listing_is_under_way = False
        self.batches: deque[DetailsRequest] = deque()  # likewise
        self.batches_under_way = 0
        self.answered: list[tuple[DetailsRequest, tuple[GroupInfo, ...]]] = []
        self.asked_up_to = 0  # the last item that was taken into a batch
        self.has_more_items = True  # as far as the last look could see

    def go(self) -> None:
        """Until the run has ended or may not go on. Raises ``DatabaseError``."""
        sync_finish.begin(self.sync, datetime.now(UTC))
        self.http_workers.start()
        try:
            while self.may_go_on() and not self._round():
                pass
        except sync_finish.RunEnded:
            logger.info("Sync %d was ended by somebody else.", self.sync.pk)
        finally:
            self.http_workers.stop()

    def _round(self) -> bool:
        """One round; whether the run has ended."""
        for result in self.http_workers.results(ROUND):
            if result.defect is not None:
                raise result.defect
            if isinstance(result.request, ListRequest):
                self.listing_is_under_way = False
                self.lists.called_late(result.called_at)
                if not self._take_page(result.request, result):
                    return True
            else:
                self.batches_under_way -= 1
                if isinstance(result.data, tuple):
                    self.answered.append((result.request, result.data))
                elif not self._ask_batch_again(result.request, result.outcome):
                    return True
        if len(self.answered) >= BATCHES_PER_WRITE or not self.batches_under_way:
            self._write()
        self._ask()
        return self._finish_if_done()

    # --- the list ------------------------------------------------------------------

    def _take_page(
        self, asked: ListRequest, result: Result[ListRequest | DetailsRequest]
    ) -> bool:
        """Write a page, or ask for it again; whether the run goes on."""
        outcome, page = result.outcome, result.data
        if isinstance(page, GroupPage):
            if page.next and page.next == asked.next:
                self._fail(None, Reason.BAD_ANSWER, "The list comes back to one page.")
                return False
            listing.write_page(self.sync.pk, asked, page, self.pause, self.block)
            self.has_more_items = True
            return True
        if outcome is None:
            raise ValueError("A page has neither data nor an outcome.")
        verdict = self._decide(asked, outcome, self.lists)
        is_smaller = verdict.step is SyncStep.SMALLER and asked.limit > SMALLEST_PAGE
        if is_smaller:
            self.page_limit = asked.limit = max(SMALLEST_PAGE, asked.limit // 2)
        if is_smaller or verdict.step is SyncStep.TRY_AGAIN:
            self.listing = asked
            return True
        if verdict.step is SyncStep.REFUSED and asked.group_type:
            # A type that Tencent no longer lists by itself: the last pass has it.
            logger.warning("Tencent lists no groups of type %s.", asked.group_type)
            listing.move_on(self.sync.pk, asked)
            return True
        return self._give_up(outcome)

    def _next_listing(self) -> None:
        """Look in the row what is to be listed next."""
        if self.listing is not None or self.listing_is_under_way or self.sync.is_listed:
            return
        self.sync.refresh_from_db()
        step = self.sync.step
        if step < len(self.passes):
            self.listing = ListRequest(
                step=step,
                group_type=self.passes[step],
                next=self.sync.next,
                limit=self.page_limit,
            )
        elif not self.sync.is_listed:
            listing.add_missing(self.sync, self.pause, self.block)
            self.has_more_items = True
            self.sync.refresh_from_db()

    # --- the details ---------------------------------------------------------------

    def _write(self) -> None:
        """A few batches at a time: each commit keeps others from the database."""
        while self.answered:
            some = self.answered[:BATCHES_PER_WRITE]
            write_details(
                self.sync.pk,
                [group_id for batch, _infos in some for group_id in batch.group_ids],
                [info for _batch, infos in some for info in infos],
                datetime.now(UTC),
            )
            del self.answered[:BATCHES_PER_WRITE]
            self.pause()

    def _ask_batch_again(self, asked: DetailsRequest, outcome: Outcome | None) -> bool:
        """After a failure; whether the run goes on."""
        if outcome is None:  # its moment was missed
            self.batches.appendleft(asked)
            return True
        verdict = self._decide(asked, outcome, self.infos)
        if verdict.step is SyncStep.TRY_AGAIN:
            self.batches.append(asked)
        elif verdict.step is SyncStep.SMALLER and len(asked.group_ids) > 1:
            half = len(asked.group_ids) // 2
            self.batches.append(DetailsRequest(group_ids=asked.group_ids[:half]))
            self.batches.append(DetailsRequest(group_ids=asked.group_ids[half:]))
        elif verdict.step is SyncStep.SMALLER:
            # Of one group alone, the code of the call is the code of the group.
            (group_id,) = asked.group_ids
            code = outcome.error_code or 0
            info = GroupInfo(group_id, code, outcome.error_info)
            self.answered.append((asked, (info,)))
        else:
            return self._give_up(outcome)
        return True

    def _next_batches(self) -> None:
        """Fill up with what is listed and not asked for yet."""
        wanted = self.http_workers.free - len(self.batches)
        if wanted < 1 or not self.has_more_items:
            return
        rows = list(
            SyncItem.objects.filter(
                sync=self.sync, is_done=False, pk__gt=self.asked_up_to
            )
            .order_by("pk")
            .values_list("pk", "group_id")[: wanted * GetGroupInfo.MAX_GROUPS]
        )
        self.has_more_items = bool(rows)
        for number in range(0, len(rows), GetGroupInfo.MAX_GROUPS):
            some = rows[number : number + GetGroupInfo.MAX_GROUPS]
            is_whole = len(some) == GetGroupInfo.MAX_GROUPS
            if is_whole or self.sync.is_listed or not self.batches_under_way:
                self.asked_up_to = some[-1][0]
                self.batches.append(
                    DetailsRequest(group_ids=tuple(row[1] for row in some))
                )

    # --- both ----------------------------------------------------------------------

    def _ask(self) -> None:
        """Hand out what is due, as far as the limits allow."""
        self._make_way()
        self._next_listing()
        self._next_batches()
        now = self.clock.machine()
        page = self.listing
        if page is not None and page.due <= now:
            for moment in self.lists.take(min(1, self.http_workers.free)):
                self.http_workers.submit(page, moment)
                self.listing, self.listing_is_under_way = None, True
        due = [batch for batch in self.batches if batch.due <= now]
        for moment, batch in zip(
            self.infos.take(min(len(due), self.http_workers.free)), due, strict=False
        ):
            self.batches.remove(batch)
            self.batches_under_way += 1
            self.http_workers.submit(batch, moment)

    def _make_way(self) -> None:
        """Be slower while notices are sent."""
        now = self.clock.machine()
        if now >= self.next_look:
            self.next_look = now + LOOK_FOR_SENDS_EVERY
            sends = Notification.objects.filter(status=Notification.Status.SENDING)
            share = SHARE_BESIDE_A_SEND if sends.exists() else 1.0
            self.infos.rate = self.full_pace * share

    def _decide(
        self,
        asked: ListRequest | DetailsRequest,
        outcome: Outcome,
        limiter: RateLimiter,
    ) -> SyncDecision:
        delay = self.backoff(asked.failures, self.jitter.random())
        verdict = decide(outcome, asked.failures, delay)
        if verdict.slow_down:
            limiter.slow_down()
        asked.failures += 1
        asked.due = self.clock.machine() + verdict.delay
        return verdict

    def _finish_if_done(self) -> bool:
        is_asking = self.batches or self.batches_under_way or self.answered
        if not self.sync.is_listed or is_asking:
            return False
        if SyncItem.objects.filter(sync=self.sync, is_done=False).exists():
            # Added late, by a worker that was here before.
            self.asked_up_to, self.has_more_items = 0, True
            return False
        status = GroupSync.Status.COMPLETED
        sync_finish.finish(self.sync.pk, status, self.actor, datetime.now(UTC))
        return True

    def _give_up(self, outcome: Outcome) -> bool:
        self._fail(
            outcome.error_code, outcome.reason, outcome.error_info or outcome.detail
        )
        return False

    def _fail(self, code: int | None, reason: Reason | None, text: str) -> None:
        sync_finish.finish(
            self.sync.pk,
            GroupSync.Status.FAILED,
            self.actor,
            datetime.now(UTC),
            code=code,
            reason=reason.value if reason else "",
            error_info=text,
        )
