"""The state of the whole system as one value, which the System page shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.checks import CheckMessage, Tags, run_checks

from notifications import conf
from notifications.audit.settings_changes import SECRETS, present_settings
from notifications.db.durability import durability_problem
from notifications.delivery.heartbeat import live_workers
from notifications.history.overview.sums import daily_sums, last_day_ranges
from notifications.models import Notification, SendingSwitch, TaskDeaths, Worker
from notifications.record.guards import install as guards_install
from notifications.record.guards import privileges
from notifications.record.queries import RecordState, record_state
from notifications.record.trail import unreadable_entries
from notifications.system import health as system_health
from notifications.system import machine
from notifications.system.health import migrations_applied

# In addition to the settings whose changes are audited.
MORE_SETTINGS = ("STATE_DIR", "LOG_FORMAT", "LOG_LEVEL", "DISK_FLOOR_MB")
# Only the worker has these.
KEYS = ("IM_SECRET_KEY", "IM_SECRET_KEY_NEXT")
# For these settings the page only shows whether they are set.
SECRET_SETTINGS = {name: s for name, s in SECRETS.items() if name not in KEYS} | {
    "METRICS_TOKEN": "METRICS_TOKEN"
}
# The limits of deploy/alerts.yml.
DUE_TOO_LONG = timedelta(minutes=2)
UNSEALED_TOO_LONG = timedelta(minutes=15)
VERIFIED_WITHIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with the messages of ``manage.py check`` about it, in English.

    ``value`` is ``None`` for a secret that is set: it must not be shown.
    """

    name: str
    value: str | None
    messages: Sequence[CheckMessage]


@dataclass(frozen=True, slots=True)
class SystemState:
    """``today`` counts today's deliveries by result; ``free`` is in bytes, by disk."""

    now: datetime
    switch: SendingSwitch
    workers: Sequence[Worker]
    deaths: Sequence[TaskDeaths]
    queue: system_health.Queue
    open_queries: system_health.OpenQueries
    paused: Mapping[str, int]
    calls: int  # in the last minute
    max_calls: int
    today: Mapping[str, int]
    unsealed: system_health.Unsealed
    record: RecordState
    missing_guards: Sequence[str]
    unknown_triggers: Sequence[tuple[str, str]]  # table and name
    unreadable_entries: int  # of the audit trail
    connects_as_owner: bool
    wrong_privileges: Sequence[str]
    durability_problem: str
    is_migrated: bool
    has_static_files: bool
    free: Mapping[str, int]
    database_bytes: int
    syncs: system_health.Syncs
    versions: Mapping[str, str]
    settings: Sequence[Setting]
    messages: Sequence[CheckMessage]  # not about a single setting

    @property
    def recent_deaths(self) -> list[TaskDeaths]:
        earliest = self.now - system_health.RECENT_DEATHS
        return [deaths for deaths in self.deaths if deaths.last_at > earliest]

    @property
    def paused_by_console(self) -> dict[str, int]:
        by_person = Notification.PauseReason.PERSON
        return {key: n for key, n in self.paused.items() if n and key != by_person}

    @property
    def is_stalled(self) -> bool:
        """Whether deliveries are due and sending is allowed, but no calls are made."""
        due = self.queue.oldest_due
        return (
            due is not None
            and self.now - due > DUE_TOO_LONG
            and not self.calls
            and not self.switch.is_off
        )

    @property
    def is_unsealed_too_long(self) -> bool:
        since = self.unsealed.since
        return since is not None and self.now - since > UNSEALED_TOO_LONG

    @property
    def is_verified_lately(self) -> bool:
        at = self.record.verified_at
        return at is not None and self.now - at <= VERIFIED_WITHIN

    @property
    def full_disks(self) -> list[str]:
        floor = settings.DISK_FLOOR_MB * machine.MEGABYTE
        return [name for name, free in self.free.items() if free < floor]


def state(now: datetime) -> SystemState:
    """About 20 queries, independent of the number of rows."""
    shown, other_messages = _settings()
    return SystemState(
        now=now,
        switch=SendingSwitch.present(),
        workers=list(live_workers().order_by("pk")),
        deaths=list(TaskDeaths.objects.order_by("task")),
        queue=system_health.queue(now),
        open_queries=system_health.open_queries(),
        paused=system_health.paused(),
        calls=system_health.calls_in_last_minute(now),
        max_calls=round(60 * conf.calls_per_second()),
        today=_today(),
        unsealed=system_health.unsealed(),
        record=record_state(),
        missing_guards=guards_install.missing(),
        unknown_triggers=guards_install.unknown(),
        unreadable_entries=unreadable_entries(),
        connects_as_owner=privileges.can_needlessly_disable_guards(),
        wrong_privileges=privileges.differences(),
        durability_problem=durability_problem(),
        is_migrated=migrations_applied(),
        has_static_files=machine.are_static_files_collected(),
        free=machine.free_bytes(),
        database_bytes=machine.database_bytes(),
        syncs=system_health.syncs(),
        versions=machine.versions(),
        settings=shown,
        messages=other_messages,
    )


def _today() -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for row in daily_sums(last_day_ranges(1, of=1)).rows:
        counts[row.status] += row.count
    return counts


def _settings() -> tuple[list[Setting], list[CheckMessage]]:
    """The shown settings, and the messages that are about none of them."""
    values: dict[str, str | None] = {
        name: _text(value)
        for name, value in present_settings().items()
        if name not in SECRETS
    }
    values |= {name: _text(getattr(settings, name)) for name in MORE_SETTINGS}
    values |= {
        name: None if getattr(settings, setting) else ""
        for name, setting in SECRET_SETTINGS.items()
    }
    # A message about a setting begins with its name.
    messages: dict[str, list[CheckMessage]] = {name: [] for name in values}
    other: list[CheckMessage] = []
    for message in run_checks(tags=["im", Tags.security]):
        if not message.is_silenced():
            messages.get(message.msg.split()[0], other).append(message)
    return [Setting(name, values[name], messages[name]) for name in values], other


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else str(value)
