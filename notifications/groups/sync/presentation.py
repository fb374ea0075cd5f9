"""Sentences about a sync: its progress, its result and its changes."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reading,
)
from notifications.groups.sync.finish import DEFECT
from notifications.groups.sync.queries import SyncProgress
from notifications.models import ChatGroup, GroupSync, GroupType, SyncChange


def headline(run: GroupSync, progress: SyncProgress | None, *, has_worker: bool) -> str:
    """The progress or result of a run, in one sentence."""
    if progress is None:
        return _ended(run)
    if not has_worker:
        return _("It waits because no worker is running.")
    if run.status == GroupSync.Status.WAITING:
        return _("It starts within a second.")
    if not progress.total:
        return _("Reading the list of groups.")
    read = _("%(done)s of %(total)s groups read.") % {
        "done": f"{progress.done:,}",
        "total": f"{progress.total:,}",
    }
    if run.is_listed:
        return read
    more = _("The list is still being read; more may come.")
    return f"{read} {more}"


def _ended(run: GroupSync) -> str:
    match run.status:
        case GroupSync.Status.COMPLETED:
            return _("The list of groups is up to date.")
        case GroupSync.Status.CANCELLED:
            return _("Stopped. What was read before that is kept.")
    return _("The sync failed. What was read before that is kept.")


def summary(run: GroupSync, counts: Mapping[str, int]) -> list[str]:
    """Counts of the changes of a run, one phrase for each kind that occurred."""
    kind = SyncChange.Kind
    phrases = [
        (kind.ADDED, _("%(n)s added")),
        (kind.CHANGED, _("%(n)s changed")),
        (kind.CLOSED, _("%(n)s closed")),
        (kind.REOPENED, _("%(n)s open again")),
        (kind.UNKNOWN_TYPE, _("%(n)s of an unknown type")),
        (kind.NOT_READ, _("%(n)s not read")),
    ]
    result = [
        phrase % {"n": f"{counts[name]:,}"} for name, phrase in phrases if counts[name]
    ]
    if run.members_updated:
        result.append(
            ngettext(
                "%(n)s number of members updated",
                "%(n)s numbers of members updated",
                run.members_updated,
            )
            % {"n": f"{run.members_updated:,}"}
        )
    return result


def explain_failure(run: GroupSync) -> Explanation | None:
    """Explanation of a failed run, otherwise ``None``."""
    if run.status != GroupSync.Status.FAILED:
        return None
    if run.reason == DEFECT:
        return Explanation(
            "",
            _("There is a mistake in this program."),
            _("Ask whoever runs this console to look into the log of the worker."),
        )
    return explain_reading(run.error_code, run.reason)


def change_line(change: SyncChange) -> str:
    """A change of one group: ``Name: old → new``, or why it was not read."""
    kind = SyncChange.Kind
    if change.kind == kind.UNKNOWN_TYPE:
        return _(
            "“%(type)s” is a type that this console does not know. The group is kept, "
            "but cannot be sent to."
        ) % {"type": change.after.get("type", "")}
    if change.kind == kind.NOT_READ:
        return _why_not_read(change)
    if change.kind == kind.CLOSED:
        return _("The chat service says that this group no longer exists.")
    if change.kind == kind.ADDED:
        return _value("type", change.after.get("type", ""))
    labels = {"name": _("Name"), "type": _("Type"), "state": _("State")}
    return "; ".join(
        f"{labels[name]}: {_value(name, old)} → {_value(name, change.after.get(name, ''))}"
        for name, old in change.before.items()
    )


def _why_not_read(change: SyncChange) -> str:
    code = change.after.get("code")
    if code is None:
        return _("The chat service told nothing about it that can be used.")
    explanation = explain_code(int(code))
    return f"{explanation.meaning} ({explanation.mark})"


def _value(name: str, value: str) -> str:
    choices = {"type": GroupType.choices, "state": ChatGroup.State.choices}
    return str(dict(choices.get(name, [])).get(value, value))
