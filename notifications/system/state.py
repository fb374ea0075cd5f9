"""How everything is doing now, as one value: what the System page puts into words."""

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
from notifications.models import Notification, SendingSwitch, Worker
from notifications.record.guards import install as guards_install
from notifications.record.queries import RecordState, record_state
from notifications.system import health as system_health
from notifications.system import machine
from notifications.system.health import migrations_applied

# Beside those that the audit trail keeps.
MORE_SETTINGS = ("STATE_DIR", "LOG_FORMAT", "LOG_LEVEL", "DISK_FLOOR_MB")

# Only whether they are set is told.
HIDDEN = SECRETS | {"METRICS_TOKEN": "METRICS_TOKEN"}


# As in deploy/alerts.yml.
DUE_TOO_LONG = timedelta(minutes=2)

UNSEALED_TOO_LONG = timedelta(minutes=15)

VERIFIED_WITHIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Setting:
    """``said``: what ``manage.py check`` says about it, in English.

    ``value`` is ``None`` for a secret that is set: nobody is to see it.
    """

    name: str
    value: str | None
    said: Sequence[CheckMessage]


@dataclass(frozen=True, slots=True)
class SystemState:
    """``today`` counts deliveries of today by result; ``free`` are bytes by disk."""

    now: datetime
    switch: SendingSwitch
    workers: Sequence[Worker]
    queue: system_health.Queue
    paused: Mapping[str, int]
    calls: int  # in the last minute
    most_calls: int
    today: Mapping[str, int]
    unsealed: system_health.Unsealed
    record: RecordState
    missing_guards: Sequence[str]
    durability_problem: str
    is_migrated: bool
    free: Mapping[str, int]
    database_bytes: int
    syncs: system_health.Syncs
    versions: Mapping[str, str]
    settings: Sequence[Setting]
    said: Sequence[CheckMessage]  # about no single setting

    @property
    def paused_by_itself(self) -> dict[str, int]:
        by_person = Notification.PauseReason.PERSON
        return {why: n for why, n in self.paused.items() if n and why != by_person}

    @property
    def stands_still(self) -> bool:
        """Deliveries are due, nothing holds them, and nobody is called."""
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
    """Some 20 queries, however much there is."""
    shown, said = _settings()
    return SystemState(
        now=now,
        switch=SendingSwitch.present(),
        workers=list(live_workers().order_by("pk")),
        queue=system_health.queue(now),
        paused=system_health.paused(),
        calls=system_health.calls_in_last_minute(now),
        most_calls=round(60 * conf.calls_per_second()),
        today=_today(),
        unsealed=system_health.unsealed(),
        record=record_state(),
        missing_guards=guards_install.missing(),
        durability_problem=durability_problem(),
        is_migrated=migrations_applied(),
        free=machine.free_bytes(),
        database_bytes=machine.database_bytes(),
        syncs=system_health.syncs(),
        versions=machine.versions(),
        settings=shown,
        said=said,
    )


def _today() -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for row in daily_sums(last_day_ranges(1, of=1)).rows:
        found[row.status] += row.count
    return found


def _settings() -> tuple[list[Setting], list[CheckMessage]]:
    """The settings that matter, and what is said about none of them."""
    said = [
        message
        for message in run_checks(tags=["im", Tags.security])
        if not message.is_silenced()
    ]
    values: dict[str, str | None] = {
        name: _text(value)
        for name, value in present_settings().items()
        if name not in SECRETS
    }
    values |= {name: _text(getattr(settings, name)) for name in MORE_SETTINGS}
    values |= {
        name: None if getattr(settings, setting) else ""
        for name, setting in HIDDEN.items()
    }
    # A sentence about a setting begins with its name.
    about: dict[str, list[CheckMessage]] = {name: [] for name in values}
    other: list[CheckMessage] = []
    for message in said:
        about.get(message.msg.split()[0], other).append(message)
    return [Setting(name, values[name], about[name]) for name in values], other


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else str(value)
