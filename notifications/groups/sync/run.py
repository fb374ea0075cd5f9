"""One run of the sync: submit requests, write their responses, finish.

The list of groups is read page by page at Tencent's rate, and at the same time the
details of the groups listed so far. Every step can be repeated: in memory are only the
requests in progress and their unwritten responses, of the list at most one page.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from notifications import conf
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.delivery.threads import SYNC, Deaths
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import listing
from notifications.groups.sync.details import (
    pending_batches,
    pending_items,
    write_details,
)
from notifications.groups.sync.requests import (
    DetailsRequest,
    ListRequest,
    PendingRequest,
)
from notifications.groups.sync.retry import SyncAction, decide
from notifications.models import GroupSync, Notification
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

# The longest wait for a result in one round, in seconds.
RESULT_TIMEOUT = 0.02

# Responses written in one transaction: few, so that a send never waits for long.
RESPONSES_PER_WRITE = 4

# Of the rate of detail requests: a send uses the same process and database.
RATE_SHARE_DURING_SEND = 0.25

SEND_CHECK_INTERVAL = 1.0

MIN_PAGE_LIMIT = 100


class SyncRun:
    """Continues ``sync`` from its stored position; ``actor`` is recorded at its end.

    ``may_go_on`` is called in every round, ``pause`` between two pieces of work on the
    database. ``list_filters`` are the group types to list, ``page_limit`` and ``block``
    the numbers of groups per read and write; ``backoff`` returns a delay in seconds;
    ``deaths`` counts threads that end.
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
        deaths: Deaths | None = None,
        threads: int = THREADS,
        lists_per_second: float = listing.LISTS_PER_SECOND,
        list_filters: Sequence[str] = listing.LIST_FILTERS,
        page_limit: int = GetAppidGroupList.MAX_GROUPS,
        block: int = listing.BLOCK,
        backoff: Callable[[int, float], float] = backoff,
    ) -> None:
        self.sync = sync
        self.clock = clock
        self.actor = actor
        self.may_go_on = may_go_on
        self.pause = pause
        lists, details = (
            f"{im.endpoint.sdk_app_id}:{call.COMMAND}"
            for call in (GetAppidGroupList, GetGroupInfo)
        )
        self.list_limiter = RateLimiter(lists, lists_per_second, clock)
        self.details_limiter = RateLimiter(details, conf.calls_per_second(), clock)
        self.full_rate = self.details_limiter.rate
        self.next_send_check = 0.0
        self.jitter = random.Random()  # noqa: S311  spreads retries, guards no secret
        self.http_workers: HttpWorkers[ListRequest | DetailsRequest] = HttpWorkers(
            im, clock, threads, deaths or Deaths(), SYNC
        )
        self.backoff = backoff
        self.list = listing.ListReader(sync, list_filters, page_limit, block, pause)
        self.details_requests: deque[DetailsRequest] = deque()  # not submitted yet
        self.details_in_progress = 0
        self.responses: list[tuple[DetailsRequest, tuple[GroupInfo, ...]]] = []
        self.last_item = 0  # key of the last item that was put into a request
        self.has_more_items = True  # as of the last query

    def run(self) -> None:
        """Run until the sync ends or may not go on. Raises ``DatabaseError``."""
        sync_finish.begin(self.sync)
        self.list.begin()
        try:
            self.http_workers.keep_alive()
            while self.may_go_on() and not self._run_round():
                pass
        except sync_finish.RunEnded:
            logger.info("Sync %d was ended elsewhere.", self.sync.pk)
        finally:
            self.http_workers.stop()

    def _run_round(self) -> bool:
        """Run one round; return whether the run has ended."""
        for result in self.http_workers.results(RESULT_TIMEOUT):
            if result.defect is not None:
                raise result.defect
            if isinstance(result.request, ListRequest):
                self.list.is_in_progress = False
                self.list_limiter.called_late(result.called_at)
                if not self._process_page(result.request, result):
                    return True
            else:
                self.details_in_progress -= 1
                if isinstance(result.data, tuple):
                    self.responses.append((result.request, result.data))
                elif not self._retry_details(result.request, result.outcome):
                    return True
        if len(self.responses) >= RESPONSES_PER_WRITE or not self.details_in_progress:
            self._write_responses()
        if self.list.write_block():
            self.has_more_items = True
        self._submit_requests()
        return self._finish_if_done()

    # --- the list ------------------------------------------------------------------

    def _process_page(
        self, request: ListRequest, result: Result[ListRequest | DetailsRequest]
    ) -> bool:
        """Start to write a page, or retry its request; return whether the run goes on."""
        outcome, page = result.outcome, result.data
        if isinstance(page, GroupPage):
            if page.next and page.next == request.next:
                text = "The list comes back to one page."
                return self._fail(reason=Reason.BAD_ANSWER, error_info=text)
            self.list.add_page(request, page)
            self.has_more_items = True
            return True
        if outcome is None:
            raise ValueError("A page has neither data nor an outcome.")
        action = self._decide(request, outcome, self.list_limiter)
        is_smaller = action is SyncAction.REDUCE and request.limit > MIN_PAGE_LIMIT
        if is_smaller:
            self.list.limit = request.limit = max(MIN_PAGE_LIMIT, request.limit // 2)
        if is_smaller or action is SyncAction.RETRY:
            self.list.request = request
            return True
        if action is SyncAction.SKIP and request.group_type:
            # Tencent no longer lists this type by itself: the last filter covers it.
            logger.warning("Tencent lists no groups of type %s.", request.group_type)
            self.list.skip(request)
            self.has_more_items = True
            return True
        return self._give_up(outcome)

    # --- the details ---------------------------------------------------------------

    def _write_responses(self) -> None:
        """Write a few responses at a time: a commit blocks other connections."""
        while self.responses:
            batch = self.responses[:RESPONSES_PER_WRITE]
            write_details(
                self.sync.pk,
                [group_id for sent, _infos in batch for group_id in sent.group_ids],
                [info for _sent, infos in batch for info in infos],
                datetime.now(UTC),
            )
            del self.responses[:RESPONSES_PER_WRITE]
            self.pause()

    def _retry_details(self, request: DetailsRequest, outcome: Outcome | None) -> bool:
        """Handle a failure; return whether the run goes on."""
        if outcome is None:  # its slot was missed
            self.details_requests.appendleft(request)
            return True
        action = self._decide(request, outcome, self.details_limiter)
        if action is SyncAction.RETRY:
            self.details_requests.append(request)
        elif action is SyncAction.REDUCE and len(request.group_ids) > 1:
            self.details_requests += request.halves()
        elif action is SyncAction.REDUCE:
            # The error code of a call for a single group belongs to that group.
            (group_id,) = request.group_ids
            info = GroupInfo(group_id, outcome.error_code or 0, outcome.error_info)
            self.responses.append((request, (info,)))
        else:
            return self._give_up(outcome)
        return True

    def _prepare_details_requests(self) -> None:
        """Create requests for listed items up to the number of free threads."""
        missing = self.http_workers.free - len(self.details_requests)
        if missing < 1 or not self.has_more_items:
            return
        batches = pending_batches(self.sync.pk, self.last_item, missing)
        self.has_more_items = bool(batches)
        # Otherwise items that are still to be added may fill the last batch.
        is_last = self.sync.is_listed or not (
            self.details_in_progress or self.list.page_writer
        )
        for batch in batches:
            if len(batch) == GetGroupInfo.MAX_GROUPS or is_last:
                self.last_item = batch[-1][0]
                group_ids = tuple(group_id for _pk, group_id in batch)
                self.details_requests.append(DetailsRequest(group_ids=group_ids))

    # --- both ----------------------------------------------------------------------

    def _submit_requests(self) -> None:
        """Submit the requests that are due, within the rate limits."""
        self._adjust_rate()
        self._prepare_details_requests()
        now = self.clock.machine()
        request = self.list.request
        if request is not None and request.due <= now:
            for slot in self.list_limiter.take(min(1, self.http_workers.free)):
                self.http_workers.submit(request, slot)
                self.list.request, self.list.is_in_progress = None, True
        due = [request for request in self.details_requests if request.due <= now]
        slots = self.details_limiter.take(min(len(due), self.http_workers.free))
        for slot, details_request in zip(slots, due, strict=False):
            self.details_requests.remove(details_request)
            self.details_in_progress += 1
            self.http_workers.submit(details_request, slot)

    def _adjust_rate(self) -> None:
        """Once a second: reduce the rate of detail requests during a send."""
        now = self.clock.machine()
        if now >= self.next_send_check:
            self.next_send_check = now + SEND_CHECK_INTERVAL
            self.http_workers.keep_alive()
            sends = Notification.objects.filter(status=Notification.Status.SENDING)
            share = RATE_SHARE_DURING_SEND if sends.exists() else 1.0
            self.details_limiter.rate = self.full_rate * share

    def _decide(
        self, request: PendingRequest, outcome: Outcome, limiter: RateLimiter
    ) -> SyncAction:
        delay = self.backoff(request.failures, self.jitter.random())
        decision = decide(outcome, request.failures, delay)
        if decision.slow_down:
            limiter.slow_down()
        request.failures += 1
        request.due = self.clock.machine() + decision.delay
        return decision.action

    def _finish_if_done(self) -> bool:
        is_busy = self.details_requests or self.details_in_progress or self.responses
        if not self.sync.is_listed or is_busy:
            return False
        if pending_items(self.sync.pk).exists():
            # A worker that ran this sync before added them late.
            self.last_item, self.has_more_items = 0, True
            return False
        sync_finish.finish(self.sync.pk, GroupSync.Status.COMPLETED, self.actor)
        return True

    def _give_up(self, outcome: Outcome) -> bool:
        return self._fail(
            code=outcome.error_code,
            reason=outcome.reason or "",
            error_info=outcome.error_info or outcome.detail,
        )

    def _fail(self, **error: Any) -> bool:
        sync_finish.finish(self.sync.pk, GroupSync.Status.FAILED, self.actor, **error)
        return False
