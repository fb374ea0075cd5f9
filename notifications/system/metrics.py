"""Metrics in the text format of Prometheus, all read from the database at once.

So every process of the console tells the same, and none keeps counts of its own. No
name of a group or of a person, and no id, is ever a label.

https://prometheus.io/docs/practices/naming/
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)

from notifications import conf
from notifications.delivery.heartbeat import live_workers
from notifications.models import Delivery, GroupSync, SendingSwitch, Tally
from notifications.record.queries import record_state
from notifications.record.result_counts import count_results
from notifications.system import health as system_health
from notifications.system import machine
from notifications.system.health import unsealed

# Who sent it, and when, is not asked here.
UNTOLD = ("", datetime.min.replace(tzinfo=UTC))

ENDED = frozenset(status.value for status in Delivery.ENDED)


# Status, code and reason → deliveries.
Counts: TypeAlias = Counter[tuple[str, int | None, str]]


@dataclass(frozen=True, slots=True)
class OutcomeLabels:
    """``count`` deliveries that ended alike, since the beginning."""

    status: str
    error_code: int | None
    reason: str
    count: int


class OutcomeCounts:
    """Counts them, and remembers what was sealed: tallies are only ever added.

    Each seal follows another, so their tallies come in the order of their ids. To add
    up all of them takes a third of a second for ten million deliveries; once.
    """

    def __init__(self) -> None:
        # The last tally that is in the sums; replaced together, for threads.
        self._known: tuple[int, Counts] = (0, Counter())

    def read(self) -> Sequence[OutcomeLabels]:
        """All as they stand now. Five queries.

        What is sealed between two of them is counted once: its tallies lie behind the
        last one that was there before, and those of what was counted as it stands are
        left out.
        """
        before = Tally.objects.aggregate(last=Max("pk"))["last"] or 0
        live = unsealed().live
        found: Counts = Counter()
        for row in count_results(live, dict.fromkeys(live, UNTOLD)):
            found[row.status, row.error_code, row.reason] += row.count
        found += self._sealed(before)
        found += _sum(
            Tally.objects.filter(pk__gt=before).exclude(notification__in=live)
        )
        return [
            OutcomeLabels(*kind, count)
            for kind, count in found.items()
            if kind[0] in ENDED
        ]

    def _sealed(self, last: int) -> Counts:
        known, sums = self._known
        if last > known:
            sums = sums + _sum(Tally.objects.filter(pk__gt=known, pk__lte=last))
            self._known = (last, sums)
        return sums


def _sum(tallies: QuerySet[Tally]) -> Counts:
    """Added up here: asked for groups, SQLite would walk along the index of codes."""
    found: Counts = Counter()
    rows = tallies.order_by().values_list("status", "error_code", "reason", "count")
    for status, code, reason, count in rows.iterator():
        found[status, code, reason] += count
    return found


class Metrics:
    """One for each process: it remembers what was counted of sealed notifications."""

    def __init__(self) -> None:
        self._outcomes = OutcomeCounts()

    def text(self, ready: Mapping[str, bool]) -> bytes:
        """``ready`` are the checks by name. Some 17 queries."""
        registry = CollectorRegistry()
        registry.register(_Scrape(self._outcomes, ready))
        return generate_latest(registry)


class _Scrape:
    def __init__(self, outcomes: OutcomeCounts, ready: Mapping[str, bool]) -> None:
        self.outcomes = outcomes
        self.ready = ready
        self.now = timezone.now()

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("notifier_build", "Versions.", machine.versions())
        yield _by_label(
            "notifier_check_passed",
            "1 where a check of /readyz is passed, else 0.",
            "check",
            self.ready,
        )
        yield from self._sending()
        yield from self._outcome_counts()
        yield from self._record()
        yield from self._syncs()
        yield _by_label(
            "notifier_disk_free_bytes",
            "Free bytes of each disk that is written to.",
            "disk",
            machine.free_bytes(),
        )
        yield _gauge(
            "notifier_disk_floor_bytes",
            "DISK_FLOOR_MB in bytes: fewer are not enough.",
            settings.DISK_FLOOR_MB * machine.MEGABYTE,
        )
        yield _gauge(
            "notifier_database_bytes",
            "Size of the database.",
            machine.database_bytes(),
        )

    def _sending(self) -> Iterator[Metric]:
        queue = system_health.queue(self.now)
        yield _gauge(
            "notifier_workers",
            "Workers that reported within the last 15 seconds.",
            live_workers().count(),
        )
        yield _gauge(
            "notifier_sending_allowed",
            "0 while somebody has stopped all sending, else 1.",
            not SendingSwitch.present().is_off,
        )
        yield _by_label(
            "notifier_waiting_deliveries",
            "Deliveries that wait, by the state of their notification.",
            "notification",
            queue.waiting,
        )
        yield _gauge(
            "notifier_in_flight_deliveries",
            "Deliveries that are being called now.",
            queue.in_flight,
        )
        yield _gauge(
            "notifier_oldest_due_seconds",
            "How long the first delivery that could be called has been due; 0 for none.",
            (self.now - queue.oldest_due).total_seconds() if queue.oldest_due else 0,
        )
        yield _gauge(
            "notifier_calls_last_minute",
            "Calls that were made in the last 60 seconds.",
            system_health.calls_in_last_minute(self.now),
        )
        yield _gauge(
            "notifier_calls_per_second_limit",
            "The pace that workers keep to: 95 % of IM_CALLS_PER_SECOND.",
            conf.calls_per_second(),
        )
        yield _by_label(
            "notifier_paused_notifications",
            "Notifications that are paused, by reason.",
            "reason",
            system_health.paused(),
        )

    def _outcome_counts(self) -> Iterator[Metric]:
        found = self.outcomes.read()
        ended = CounterMetricFamily(
            "notifier_deliveries",
            "Deliveries that ended, by result, ErrorCode and reason.",
            labels=["result", "code", "reason"],
        )
        unconfirmed = 0
        for row in found:
            code = "" if row.error_code is None else str(row.error_code)
            ended.add_metric([row.status, code, row.reason], row.count)
            if row.status == Delivery.Status.UNCONFIRMED:
                unconfirmed += row.count
        yield ended
        yield CounterMetricFamily(
            "notifier_unconfirmed_deliveries",
            "Deliveries whose outcome nobody knows; there from the first one on.",
            value=unconfirmed,
        )

    def _record(self) -> Iterator[Metric]:
        left = system_health.unsealed()
        yield _gauge(
            "notifier_unsealed_notifications",
            "Notifications that have ended and have no seal.",
            left.ended,
        )
        yield _gauge(
            "notifier_unsealed_seconds",
            "Since when the first of them has ended; 0 for none.",
            (self.now - left.since).total_seconds() if left.since else 0,
        )
        state = record_state()
        yield _gauge(
            "notifier_verified_timestamp_seconds",
            "When the whole record was last verified; 0 for never.",
            _stamp(state.verified_at),
        )
        yield _gauge(
            "notifier_verified_unchanged",
            "1 where the last verification found no change, else 0.",
            state.unchanged,
        )

    def _syncs(self) -> Iterator[Metric]:
        found = system_health.syncs()
        latest = found.latest.status if found.latest else ""
        yield _by_label(
            "notifier_sync_state",
            "1 for the state of the newest sync of the groups.",
            "state",
            {state: state == latest for state in GroupSync.Status.values},
        )
        yield _gauge(
            "notifier_sync_completed_timestamp_seconds",
            "When a sync of the groups was last finished; 0 for never.",
            _stamp(found.completed_at),
        )


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=value)


def _by_label(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def _stamp(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0
