"""What an entry of the audit trail says, in the reader's language.

A table: each action has a sentence, where useful one that counts, and lines of details.
An entry may lack any of them: older versions wrote less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from notifications.audit.presentation import (
    Detail,
    Line,
    audience,
    changes,
    code,
    connection,
    filters,
    kind,
    late,
    moment,
    named,
    number,
    reason,
    refused,
    rule,
    second_factor,
    shown,
    sync_status,
    unfinished,
    values,
    verified,
    way,
)
from notifications.models import AuditEntry

A = AuditEntry.Action


@dataclass(frozen=True, slots=True)
class Telling:
    """``sentence`` may name values of the detail, and ``%(n)d``: the one to count."""

    sentence: Any
    count: str = ""
    lines: Sequence[Line] = ()


def sentence(action: str, detail: Detail) -> str:
    telling = TELLINGS[A(action)]
    known = _Known(detail)
    known["n"] = number(detail.get(telling.count))
    return str(telling.sentence % known)


def lines(action: str, detail: Detail) -> list[str]:
    """The details, each as a line such as ``Note: the date is wrong``."""
    return [text for line in TELLINGS[A(action)].lines for text in line(detail)]


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


START = shown("start", gettext_lazy("Start"), moment)

BEFORE = shown("before", gettext_lazy("Start before"), moment)

NOT_AFTER = shown("not_after", gettext_lazy("Not after"), moment)

NOTE = named("note", gettext_lazy("Note"))

ENDED = (
    named("cancelled", gettext_lazy("Not called")),
    named("failed", gettext_lazy("Failed")),
)

LEFT_OUT = named("left_out_count", gettext_lazy("Groups left out"))

RULE = shown("rule", gettext_lazy("Rule"), rule)

FORMAT = named("format", gettext_lazy("Format"))

GROUPS = named("groups", gettext_lazy("Groups"))

LABELS = named("labels", gettext_lazy("Labels"))

BY = shown("by", gettext_lazy("Way"), way)

NAMED_GROUPS = named("named", gettext_lazy("Groups"))


TELLINGS: dict[AuditEntry.Action, Telling] = {
    A.SENT: Telling(
        ngettext_lazy("Sent it to %(n)d group.", "Sent it to %(n)d groups.", "n"),
        "groups",
        (RULE, NOT_AFTER, LEFT_OUT),
    ),
    A.SCHEDULED: Telling(
        gettext_lazy("Set the time to send."),
        lines=(START, BEFORE, NOT_AFTER, GROUPS, RULE, LEFT_OUT),
    ),
    A.STARTED: Telling(gettext_lazy("Started on schedule.")),
    A.EXPIRED: Telling(
        gettext_lazy("Stopped: the time “not after” passed."), lines=ENDED
    ),
    A.PAUSED: Telling(
        pgettext_lazy("action", "Paused."),
        lines=(
            shown("reason", gettext_lazy("Reason"), reason),
            shown("code", gettext_lazy("Error code"), code),
            NOTE,
        ),
    ),
    A.RESUMED: Telling(pgettext_lazy("action", "Continued.")),
    A.STOPPED: Telling(pgettext_lazy("action", "Stopped."), lines=ENDED),
    A.RESENT: Telling(
        ngettext_lazy(
            "Sent notification %(of)s again to %(n)d group.",
            "Sent notification %(of)s again to %(n)d groups.",
            "n",
        ),
        "groups",
        (shown("kind", gettext_lazy("Which groups"), kind),),
    ),
    A.RESOLVED: Telling(
        gettext_lazy("Wrote down what became of a delivery."), lines=(NOTE,)
    ),
    A.ALL_STOPPED: Telling(gettext_lazy("Stopped all sending.")),
    A.ALL_ALLOWED: Telling(gettext_lazy("Allowed sending again.")),
    A.QUARANTINED: Telling(
        ngettext_lazy(
            "Paused after a restore; %(n)d delivery became not confirmed.",
            "Paused after a restore; %(n)d deliveries became not confirmed.",
            "n",
        ),
        "deliveries",
    ),
    A.IMPORTED: Telling(
        gettext_lazy("Imported groups from a file."),
        lines=(
            named("file", gettext_lazy("File")),
            named("added", gettext_lazy("Added")),
            named("updated", gettext_lazy("Changed")),
            named("unchanged", gettext_lazy("Unchanged")),
            named("rejected", gettext_lazy("Lines with errors")),
        ),
    ),
    A.GROUPS_EXPORTED: Telling(
        ngettext_lazy(
            "Downloaded the list of %(n)d group.",
            "Downloaded the list of %(n)d groups.",
            "n",
        ),
        "groups",
        (filters,),
    ),
    A.SYNC_REQUESTED: Telling(gettext_lazy("Asked for a sync of the groups.")),
    A.SYNC_ENDED: Telling(
        gettext_lazy("A sync of the groups ended."),
        lines=(
            shown("status", gettext_lazy("State"), sync_status),
            named("added", gettext_lazy("Added")),
            named("changed", gettext_lazy("Changed")),
            named("closed", gettext_lazy("Closed")),
            named("reopened", gettext_lazy("Open again")),
            named("unknown_type", gettext_lazy("Unknown type")),
            named("not_read", gettext_lazy("Not read")),
            shown("code", gettext_lazy("Error code"), code),
        ),
    ),
    A.LABELS_PUT: Telling(
        ngettext_lazy("Put labels on %(n)d group.", "Put labels on %(n)d groups.", "n"),
        "groups",
        (LABELS, NAMED_GROUPS),
    ),
    A.LABELS_TAKEN: Telling(
        ngettext_lazy(
            "Took labels off %(n)d group.", "Took labels off %(n)d groups.", "n"
        ),
        "groups",
        (LABELS, NAMED_GROUPS),
    ),
    A.LABEL_RENAMED: Telling(
        gettext_lazy("Renamed the label “%(label)s” to “%(new)s”.")
    ),
    A.LABEL_DELETED: Telling(
        gettext_lazy("Deleted the label “%(label)s”."), lines=(GROUPS,)
    ),
    A.AUDIENCE_SAVED: Telling(
        gettext_lazy("Saved the audience “%(audience)s”."), lines=(changes,)
    ),
    A.AUDIENCE_DELETED: Telling(
        gettext_lazy("Deleted the audience “%(audience)s”."), lines=(changes,)
    ),
    A.GROUP_ADDED: Telling(gettext_lazy("Added a group."), lines=(values,)),
    A.GROUP_CHANGED: Telling(
        gettext_lazy("Changed the group %(group_id)s."), lines=(changes,)
    ),
    A.SWITCHED_OFF: Telling(
        ngettext_lazy("Switched %(n)d group off.", "Switched %(n)d groups off.", "n"),
        "groups",
        (GROUPS,),
    ),
    A.SWITCHED_ON: Telling(
        ngettext_lazy("Switched %(n)d group on.", "Switched %(n)d groups on.", "n"),
        "groups",
        (GROUPS,),
    ),
    A.EXPORTED: Telling(
        gettext_lazy("Downloaded the history."), lines=(FORMAT, filters)
    ),
    A.EXPORT_ENDED: Telling(
        ngettext_lazy(
            "The download ended after %(n)d row.",
            "The download ended after %(n)d rows.",
            "n",
        ),
        "rows",
        (unfinished, named("sha256", gettext_lazy("SHA-256 of the file"))),
    ),
    A.TRAIL_EXPORTED: Telling(
        gettext_lazy("Downloaded the audit trail."), lines=(FORMAT, filters)
    ),
    A.EVIDENCE: Telling(gettext_lazy("Downloaded the evidence of the notification.")),
    A.ARCHIVED: Telling(
        gettext_lazy("Moved the deliveries to the archive."),
        lines=(named("file_name", gettext_lazy("File")),),
    ),
    A.VERIFIED: Telling(
        gettext_lazy("Verified the record."),
        lines=(
            verified,
            named("only", gettext_lazy("Notification no.")),
            shown("since", gettext_lazy("What was sealed from"), moment),
            named("head", gettext_lazy("Head of the seals")),
        ),
    ),
    A.LOGGED_IN: Telling(
        pgettext_lazy("action", "Logged in."),
        lines=(
            BY,
            shown("second_factor", gettext_lazy("Second factor"), second_factor),
        ),
    ),
    A.LOGIN_REFUSED: Telling(gettext_lazy("A login was refused."), lines=(BY, refused)),
    A.LOGGED_OUT: Telling(pgettext_lazy("action", "Logged out.")),
    A.LOCKED_OUT: Telling(
        gettext_lazy("Locked out for a while: too many wrong logins from one address.")
    ),
    A.SESSIONS_ENDED: Telling(
        ngettext_lazy(
            "Ended %(n)d session of %(person)s.",
            "Ended %(n)d sessions of %(person)s.",
            "n",
        ),
        "sessions",
    ),
    A.FACTOR_SET: Telling(gettext_lazy("Set up a second factor.")),
    A.FACTOR_REFUSED: Telling(
        gettext_lazy("A wrong code was given after the password.")
    ),
    A.FACTOR_REMOVED: Telling(gettext_lazy("Removed the second factor of %(person)s.")),
    A.RECOVERY_USED: Telling(gettext_lazy("Logged in with a recovery code.")),
    A.RECOVERY_MADE: Telling(gettext_lazy("Made new recovery codes.")),
    A.DRAFT_SAVED: Telling(
        gettext_lazy("Saved a draft."),
        lines=(
            shown("audience", gettext_lazy("Send to"), audience),
            named("chosen", gettext_lazy("Chosen")),
            named("saved", gettext_lazy("Audience")),
            RULE,
            NOTE,
        ),
    ),
    A.DRAFT_DELETED: Telling(gettext_lazy("Threw a draft away.")),
    A.PERSON_ADDED: Telling(gettext_lazy("Added %(person)s."), lines=(changes,)),
    A.PERSON_CHANGED: Telling(gettext_lazy("Changed %(person)s."), lines=(changes,)),
    A.PASSWORD_CHANGED: Telling(gettext_lazy("Changed the password of %(person)s.")),
    A.ROLE_ADDED: Telling(gettext_lazy("Added the role “%(role)s”."), lines=(changes,)),
    A.ROLE_CHANGED: Telling(
        gettext_lazy("Changed the role “%(role)s”."), lines=(changes,)
    ),
    A.ROLE_DELETED: Telling(
        gettext_lazy("Deleted the role “%(role)s”."),
        lines=(changes, named("people", gettext_lazy("People who had it"))),
    ),
    A.SETTINGS_CHANGED: Telling(
        gettext_lazy("At its start, the worker found other settings."),
        lines=(changes,),
    ),
    A.CONNECTION_CHECKED: Telling(
        gettext_lazy("Checked the connection to Tencent."),
        lines=(connection,),
    ),
    A.LATE_ANSWER: Telling(
        gettext_lazy("An answer came after the delivery was given up."),
        lines=(
            shown("outcome", gettext_lazy("Result"), late),
            shown("error_code", gettext_lazy("Error code"), code),
        ),
    ),
}
