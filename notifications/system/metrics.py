"""Metrics in the text format of Prometheus, read from the database at each scrape.

So all processes of the console report the same values. Labels never contain an id or the
name of a group or a person.

https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
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
from notifications.delivery.threads import (
    CALLS,
    PREPARATIONS,
    RECONCILING,
    SEALING,
    SENDING,
    SYNC,
)
from notifications.models import Delivery, GroupSync, SendingSwitch, TaskDeaths
from notifications.record.queries import record_state
from notifications.record.trail import unreadable_entries
from notifications.system import health as system_health
from notifications.system import machine
from notifications.system.outcome_counts import OutcomeCounts


class Metrics:
    """One instance per process, with the cached counts of sealed notifications."""

    def __init__(self) -> None:
        self._outcomes = OutcomeCounts()

    def text(self, checks: Mapping[str, bool]) -> bytes:
        """``checks`` are the results by name. About 20 queries."""
        registry = CollectorRegistry()
        registry.register(_Scrape(self._outcomes, checks))
        return generate_latest(registry)


class _Scrape:
    def __init__(self, outcomes: OutcomeCounts, checks: Mapping[str, bool]) -> None:
        self.outcomes = outcomes
        self.checks = checks
        self.now = timezone.now()

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("notifier_build", "Versions.", machine.versions())
        yield _by_label(
            "notifier_check_passed",
            "1 where a check of /readyz is passed, else 0.",
            "check",
            self.checks,
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
        deaths = CounterMetricFamily(
            "notifier_thread_deaths",
            "Threads of workers that died of an unexpected error, by task.",
            labels=["task"],
        )
        for task, count in _deaths().items():
            deaths.add_metric([task], count)
        yield deaths
        yield _gauge(
            "notifier_sending_allowed",
            "0 while all sending is stopped, else 1.",
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
        queries = system_health.open_queries()
        yield _gauge(
            "notifier_open_queries",
            "Unconfirmed deliveries about which Tencent is still queried.",
            queries.count,
        )
        overdue = self.now - queries.first_due if queries.first_due else timedelta(0)
        yield _gauge(
            "notifier_overdue_query_seconds",
            "How long the first of these queries has been due; 0 for none.",
            max(0.0, overdue.total_seconds()),
        )
        yield _gauge(
            "notifier_calls_last_minute",
            "Calls that were made in the last 60 seconds.",
            system_health.calls_in_last_minute(self.now),
        )
        yield _gauge(
            "notifier_calls_per_second_limit",
            "The rate limit of all workers: 95 % of IM_CALLS_PER_SECOND.",
            conf.calls_per_second(),
        )
        yield _by_label(
            "notifier_paused_notifications",
            "Notifications that are paused, by reason.",
            "reason",
            system_health.paused(),
        )

    def _outcome_counts(self) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "notifier_deliveries",
            "Deliveries of sends that ended, by result, ErrorCode and reason.",
            labels=["result", "code", "reason"],
        )
        amended = CounterMetricFamily(
            "notifier_amended_messages",
            "Deliveries of recalls and corrections that ended, likewise.",
            labels=["kind", "result", "code", "reason"],
        )
        unconfirmed = 0
        for (kind, status, code, reason), count in self.outcomes.read().items():
            result = [status, "" if code is None else str(code), reason]
            if kind:
                amended.add_metric([kind, *result], count)
                continue
            ended.add_metric(result, count)
            if status == Delivery.Status.UNCONFIRMED:
                unconfirmed += count
        yield ended
        yield amended
        yield CounterMetricFamily(
            "notifier_unconfirmed_deliveries",
            "Deliveries of sends with an unknown outcome.",
            value=unconfirmed,
        )

    def _record(self) -> Iterator[Metric]:
        unsealed = system_health.unsealed()
        yield _gauge(
            "notifier_unsealed_notifications",
            "Notifications that have ended and have no seal.",
            unsealed.ended,
        )
        yield _gauge(
            "notifier_unsealed_seconds",
            "Seconds since the first of them has ended; 0 for none.",
            (self.now - unsealed.since).total_seconds() if unsealed.since else 0,
        )
        yield _gauge(
            "notifier_refused_seals",
            "Ended notifications that are not sealed because of a problem of their rows.",
            len(unsealed.refused),
        )
        yield _gauge(
            "notifier_unreadable_entries",
            "Audit entries that could not be read when they were sealed.",
            unreadable_entries(),
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
        yield _gauge(
            "notifier_verified_undetermined",
            "1 where the last verification did not read all archive files, else 0.",
            not state.is_determined,
        )

    def _syncs(self) -> Iterator[Metric]:
        syncs = system_health.syncs()
        latest = syncs.latest.status if syncs.latest else ""
        yield _by_label(
            "notifier_sync_state",
            "1 for the state of the newest sync of the groups.",
            "state",
            {state: state == latest for state in GroupSync.Status.values},
        )
        yield _gauge(
            "notifier_sync_completed_timestamp_seconds",
            "When a sync of the groups was last finished; 0 for never.",
            _stamp(syncs.completed_at),
        )


def _deaths() -> dict[str, int]:
    """The deaths by task; with zeros, so that ``increase()`` includes the first one."""
    rows = TaskDeaths.objects.values_list("task", "count")
    tasks = (SENDING, CALLS, SEALING, SYNC, RECONCILING, PREPARATIONS)
    return dict.fromkeys(tasks, 0) | dict(rows)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _by_label(
    name: str, help_text: str, label: str, values: Mapping[str, float]
) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def _stamp(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0
