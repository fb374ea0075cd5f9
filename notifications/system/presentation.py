"""The text of the System page: problems that need attention, and facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.delivery import threads
from notifications.models import Delivery, GroupSync, Notification
from notifications.system.machine import MEGABYTE
from notifications.system.state import SystemState
from notifications.ui.dates import moment

NONE = "–"


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: Sequence[tuple[str, str]]


def problems(state: SystemState) -> list[str]:
    """Problems that need attention, and what to do; the most urgent first."""
    return [*_of_sending(state), *_of_the_record(state), *_of_the_machine(state)]


def sections(state: SystemState) -> list[Section]:
    return [
        Section(_("Sending and pace"), _sending(state)),
        Section(_("Record and groups"), [*_record(state), *_syncs(state)]),
        Section(_("Machine and database"), _machine(state)),
        Section(_("Versions"), _versions(state)),
    ]


def _of_sending(state: SystemState) -> Iterator[str]:
    if not state.workers:
        yield _("No worker is running: what was sent waits. Start one.")
    elif state.is_stalled:
        yield _(
            "Deliveries are due since %(time)s and nobody is called. Look into the log "
            "of the worker."
        ) % {"time": moment(state.queue.oldest_due)}
    for deaths in state.recent_deaths:
        yield _(
            "A thread of the worker died at %(time)s of an unexpected error (%(error)s): "
            "%(task)s. It was started again. Look into the log of the worker."
        ) % {
            "time": moment(deaths.last_at),
            "error": deaths.last_error,
            "task": _task(deaths.task),
        }
    if state.switch.is_off:
        yield _("%(who)s stopped all sending.") % {"who": state.switch.changed_by}
    if state.paused_by_console:
        count = sum(state.paused_by_console.values())
        yield ngettext(
            "%(n)d notification was paused by the console and waits for a person: "
            "%(reasons)s.",
            "%(n)d notifications were paused by the console and wait for a person: "
            "%(reasons)s.",
            count,
        ) % {"n": count, "reasons": _reasons(state.paused_by_console)}
    latest = state.syncs.latest
    if latest is not None and latest.status == GroupSync.Status.FAILED:
        yield _("The newest sync of the groups failed. Its page says why.")


def _of_the_record(state: SystemState) -> Iterator[str]:
    if state.missing_guards:
        yield _(
            "Guards of the record are missing or were changed: %(names)s. Run "
            "manage.py migrate, which makes them again; then find out who removed them, "
            "and run manage.py verify_history."
        ) % {"names": ", ".join(state.missing_guards)}
    if state.unknown_triggers:
        yield _(
            "The database has triggers, rules or policies that this program did not "
            "create and that can change or hide the record: %(names)s. Find out who "
            "created them, and remove them."
        ) % {"names": ", ".join(f"{name} ({t})" for t, name in state.unknown_triggers)}
    if state.connects_as_owner:
        yield _(
            "The pages connect to the database as the owner of its tables, who can "
            "disable the guards of the record. Create a second role: docs/deploy.md."
        )
    if state.wrong_privileges:
        yield _(
            "The role of the pages has other privileges in the database than it should "
            "have: %(names)s. Run manage.py migrate as the owner, which corrects them."
        ) % {"names": ", ".join(state.wrong_privileges)}
    if state.unsealed.refused:
        yield _(
            "The rows of these notifications cannot be read, or do not match the audit "
            "entries of their sending, so they are not sealed: %(numbers)s. Run manage.py "
            "verify_history, which names the differences; then find out who changed or "
            "inserted the rows."
        ) % {"numbers": ", ".join(map(str, state.unsealed.refused))}
    if state.unreadable_entries:
        yield ngettext(
            "%(n)d audit entry could not be read when it was sealed. The audit trail "
            "names it under “not sealed”. Run manage.py verify_history, and find out who "
            "changed it.",
            "%(n)d audit entries could not be read when they were sealed. The audit trail "
            "names them under “not sealed”. Run manage.py verify_history, and find out "
            "who changed them.",
            state.unreadable_entries,
        ) % {"n": state.unreadable_entries}
    record = state.record
    if record.verified_at is not None and not record.unchanged:
        yield _(
            "The last verification found that the record was changed. Keep the database "
            "as it is, and find out who had access."
        )
    elif not record.is_determined:
        yield _(
            "The last verification cannot tell whether the archived notifications are "
            "unchanged: it did not read all archive files. Run manage.py verify_history "
            "with --archive and their folder."
        )
    elif record.head and not state.is_verified_lately:
        yield _(
            "The record was not verified in the last two days. Let a timer run "
            "manage.py verify_history."
        )
    if state.is_unsealed_too_long:
        yield _(
            "A notification ended at %(time)s and has no seal yet. Look into the log of "
            "the worker."
        ) % {"time": moment(state.unsealed.since)}


def _of_the_machine(state: SystemState) -> Iterator[str]:
    if state.durability_problem:
        yield _(
            "A power cut could undo what the database has confirmed, and groups could "
            "be called twice: %(problem)s"
        ) % {"problem": state.durability_problem}
    if not state.is_migrated:
        yield _(
            "The database is older than this version. Stop the worker, run "
            "manage.py migrate, and start it again."
        )
    if not state.has_static_files:
        yield _(
            "Style sheets and scripts of the pages are missing or of another version. Run "
            "manage.py collectstatic, and restart the web process."
        )
    for disk in state.full_disks:
        yield _("%(disk)s: only %(free)s are free, and %(floor)s must be.") % {
            "disk": _disk(disk),
            "free": _megabytes(state.free[disk]),
            "floor": _megabytes(settings.DISK_FLOOR_MB * MEGABYTE),
        }
    count = len(state.messages) + sum(len(row.messages) for row in state.settings)
    if count:
        yield ngettext(
            "%(n)d thing about the settings is missing or impossible: see below.",
            "%(n)d things about the settings are missing or impossible: see below.",
            count,
        ) % {"n": count}


def _sending(state: SystemState) -> list[tuple[str, str]]:
    waiting = state.queue.waiting
    return [
        (_("All sending"), _("stopped") if state.switch.is_off else _("allowed")),
        (
            _("Waiting deliveries"),
            _("%(sending)s being sent, %(paused)s paused, %(scheduled)s scheduled")
            % {status: f"{count:,}" for status, count in waiting.items()},
        ),
        (_("First one due since"), moment(state.queue.oldest_due)),
        (_("Being called now"), f"{state.queue.in_flight:,}"),
        (_("Not confirmed, asking Tencent"), f"{state.open_queries.count:,}"),
        (
            _("Threads that died"),
            ", ".join(f"{_task(row.task)} {row.count:,}" for row in state.deaths)
            or _("none"),
        ),
        (
            _("Calls in the last minute"),
            _("%(n)s of %(most)s at most")
            % {"n": f"{state.calls:,}", "most": f"{state.max_calls:,}"},
        ),
        (
            _("Paused notifications"),
            _reasons({key: n for key, n in state.paused.items() if n}) or _("none"),
        ),
        (
            _("Deliveries of today"),
            ", ".join(
                f"{status.label} {state.today.get(status, 0):,}"
                for status in Delivery.Status
                if status in Delivery.ENDED
            ),
        ),
    ]


def _record(state: SystemState) -> list[tuple[str, str]]:
    record = state.record
    verified = _("Not yet")
    if record.verified_at is not None:
        if not record.unchanged:
            result = _("Changed since it was sealed")
        else:
            result = _("Unchanged") if record.is_determined else _("Cannot tell")
        verified = f"{result}, {moment(record.verified_at)}"
    return [
        (_("Last verified"), verified),
        (_("Newest seal"), moment(record.sealed_at)),
        (_("Ended, not sealed yet"), f"{state.unsealed.ended:,}"),
        (
            _("Guards"),
            _("%(n)d missing") % {"n": len(state.missing_guards)}
            if state.missing_guards
            else _("all in place"),
        ),
    ]


def _machine(state: SystemState) -> list[tuple[str, str]]:
    free = [
        (_disk(name), _("%(size)s free") % {"size": _megabytes(size)})
        for name, size in state.free.items()
    ]
    return [
        (
            _("What was committed"),
            _("may be lost in a power cut")
            if state.durability_problem
            else _("survives a power cut"),
        ),
        (
            _("Migrations"),
            _("all applied") if state.is_migrated else _("not all applied"),
        ),
        *free,
        (_("Size of the database"), _megabytes(state.database_bytes)),
    ]


def _versions(state: SystemState) -> list[tuple[str, str]]:
    return [
        ("Notifier", state.versions["version"]),
        ("Django", state.versions["django"]),
        ("Python", state.versions["python"]),
        (_("Database"), state.versions["database"]),
    ]


def _syncs(state: SystemState) -> list[tuple[str, str]]:
    latest = state.syncs.latest
    newest = NONE
    if latest is not None:
        newest = f"{latest.get_status_display()}, {moment(latest.created_at)}"
    return [
        (_("Newest sync"), newest),
        (_("Last finished sync"), moment(state.syncs.completed_at)),
    ]


def _task(task: str) -> str:
    labels = {
        threads.SENDING: _("the database of sending"),
        threads.CALLS: _("calls to Tencent"),
        threads.SEALING: _("sealing"),
        threads.SYNC: _("the sync of the groups"),
        threads.REQUESTS: _("requests of the pages"),
        threads.RECONCILING: _("questions about what is not confirmed"),
        threads.PREPARATIONS: _("removal of interrupted sends"),
    }
    return labels.get(task, task)


def _reasons(counts: dict[str, int]) -> str:
    labels = dict(Notification.PauseReason.choices)
    return "; ".join(f"{capfirst(labels[key])} ({n})" for key, n in counts.items())


def _disk(name: str) -> str:
    return {
        "state": _("Disk of STATE_DIR"),
        "database": _("Disk of the database"),
    }[name]


def _megabytes(size: int) -> str:
    return (
        f"{size / MEGABYTE:,.1f} MB" if size < MEGABYTE else f"{size // MEGABYTE:,} MB"
    )
