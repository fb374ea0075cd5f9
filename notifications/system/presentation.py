"""How the console is doing, in words: what needs somebody, and the facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import Delivery, GroupSync, Notification
from notifications.system.machine import MEGABYTE
from notifications.system.state import SystemState
from notifications.ui.dates import moment

NONE = "–"


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: Sequence[tuple[str, str]]


def troubles(found: SystemState) -> list[str]:
    """What needs somebody, and what to do, the most urgent first; empty if all is well."""
    return [*_of_sending(found), *_of_the_record(found), *_of_the_machine(found)]


def sections(found: SystemState) -> list[Section]:
    return [
        Section(_("Sending and pace"), _sending(found)),
        Section(_("Record and groups"), [*_record(found), *_syncs(found)]),
        Section(_("Machine and database"), _machine(found)),
        Section(_("Versions"), _versions(found)),
    ]


def _of_sending(found: SystemState) -> Iterator[str]:
    if not found.workers:
        yield _("No worker is running: what was sent waits. Start one.")
    elif found.stands_still:
        yield _(
            "Deliveries are due since %(time)s and nobody is called. Look into the log "
            "of the worker."
        ) % {"time": moment(found.queue.oldest_due)}
    if found.switch.is_off:
        yield _("%(who)s stopped all sending.") % {"who": found.switch.changed_by}
    if found.paused_by_itself:
        count = sum(found.paused_by_itself.values())
        yield ngettext(
            "%(n)d notification was paused by the console and waits for a person: "
            "%(reasons)s.",
            "%(n)d notifications were paused by the console and wait for a person: "
            "%(reasons)s.",
            count,
        ) % {"n": count, "reasons": _reasons(found.paused_by_itself)}
    latest = found.syncs.latest
    if latest is not None and latest.status == GroupSync.Status.FAILED:
        yield _("The newest sync of the groups failed. Its page says why.")


def _of_the_record(found: SystemState) -> Iterator[str]:
    if found.missing_guards:
        yield _(
            "Guards of the record are missing or were changed: %(names)s. Run "
            "manage.py migrate, which makes them again; then find out who removed them, "
            "and run manage.py verify_history."
        ) % {"names": ", ".join(found.missing_guards)}
    record = found.record
    if record.verified_at is not None and not record.unchanged:
        yield _(
            "The last verification found that the record was changed. Keep the database "
            "as it is, and find out who had access."
        )
    elif record.head and not found.is_verified_lately:
        yield _(
            "The record was not verified in the last two days. Let a timer run "
            "manage.py verify_history."
        )
    if found.is_unsealed_too_long:
        yield _(
            "A notification ended at %(time)s and has no seal yet. Look into the log of "
            "the worker."
        ) % {"time": moment(found.unsealed.since)}


def _of_the_machine(found: SystemState) -> Iterator[str]:
    if found.durability_problem:
        yield _(
            "A power cut could undo what the database has confirmed, and groups could "
            "be called twice: %(problem)s"
        ) % {"problem": found.durability_problem}
    if not found.is_migrated:
        yield _(
            "The database is older than this version. Stop the worker, run "
            "manage.py migrate, and start it again."
        )
    for disk in found.full_disks:
        yield _("%(disk)s: only %(free)s are free, and %(floor)s must be.") % {
            "disk": _disk(disk),
            "free": _megabytes(found.free[disk]),
            "floor": _megabytes(settings.DISK_FLOOR_MB * MEGABYTE),
        }
    said = len(found.said) + sum(len(row.said) for row in found.settings)
    if said:
        yield ngettext(
            "%(n)d thing about the settings is missing or impossible: see below.",
            "%(n)d things about the settings are missing or impossible: see below.",
            said,
        ) % {"n": said}


def _sending(found: SystemState) -> list[tuple[str, str]]:
    waiting = found.queue.waiting
    return [
        (_("All sending"), _("stopped") if found.switch.is_off else _("allowed")),
        (
            _("Waiting deliveries"),
            _("%(sending)s being sent, %(paused)s paused, %(scheduled)s scheduled")
            % {state: f"{count:,}" for state, count in waiting.items()},
        ),
        (_("First one due since"), moment(found.queue.oldest_due)),
        (_("Being called now"), f"{found.queue.in_flight:,}"),
        (
            _("Calls in the last minute"),
            _("%(n)s of %(most)s at most")
            % {"n": f"{found.calls:,}", "most": f"{found.most_calls:,}"},
        ),
        (
            _("Paused notifications"),
            _reasons({why: n for why, n in found.paused.items() if n}) or _("none"),
        ),
        (
            _("Deliveries of today"),
            ", ".join(
                f"{status.label} {found.today.get(status, 0):,}"
                for status in Delivery.Status
                if status in Delivery.ENDED
            ),
        ),
    ]


def _record(found: SystemState) -> list[tuple[str, str]]:
    record = found.record
    verified = _("Not yet")
    if record.verified_at is not None:
        what = _("Unchanged") if record.unchanged else _("Changed since it was sealed")
        verified = f"{what}, {moment(record.verified_at)}"
    return [
        (_("Last verified"), verified),
        (_("Newest seal"), moment(record.sealed_at)),
        (_("Ended, not sealed yet"), f"{found.unsealed.ended:,}"),
        (
            _("Guards"),
            _("%(n)d missing") % {"n": len(found.missing_guards)}
            if found.missing_guards
            else _("all in place"),
        ),
    ]


def _machine(found: SystemState) -> list[tuple[str, str]]:
    free = [
        (_disk(name), _("%(size)s free") % {"size": _megabytes(size)})
        for name, size in found.free.items()
    ]
    return [
        (
            _("What was committed"),
            _("may be lost in a power cut")
            if found.durability_problem
            else _("survives a power cut"),
        ),
        (
            _("Migrations"),
            _("all applied") if found.is_migrated else _("not all applied"),
        ),
        *free,
        (_("Size of the database"), _megabytes(found.database_bytes)),
    ]


def _versions(found: SystemState) -> list[tuple[str, str]]:
    return [
        ("Notifier", found.versions["version"]),
        ("Django", found.versions["django"]),
        ("Python", found.versions["python"]),
        (_("Database"), found.versions["database"]),
    ]


def _syncs(found: SystemState) -> list[tuple[str, str]]:
    latest = found.syncs.latest
    newest = NONE
    if latest is not None:
        newest = f"{latest.get_status_display()}, {moment(latest.created_at)}"
    return [
        (_("Newest sync"), newest),
        (_("Last finished sync"), moment(found.syncs.completed_at)),
    ]


def _reasons(counts: dict[str, int]) -> str:
    label = dict(Notification.PauseReason.choices)
    return "; ".join(f"{capfirst(label[why])} ({n})" for why, n in counts.items())


def _disk(name: str) -> str:
    return {
        "state": _("Disk of STATE_DIR"),
        "database": _("Disk of the database"),
    }[name]


def _megabytes(size: int) -> str:
    return (
        f"{size / MEGABYTE:,.1f} MB" if size < MEGABYTE else f"{size // MEGABYTE:,} MB"
    )
