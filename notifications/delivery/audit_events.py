"""Events of the audit trail about a notification after it is sent."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import choice, line, moment
from notifications.audit_log import Detail, Event, Lines, Values
from notifications.delivery.channels import CHANNELS
from notifications.delivery.explanations import explain_code
from notifications.models import Channel, Notification, Rule
from notifications.ui.text import join_first


def explained(key: str) -> Lines:
    """The ErrorCode under ``key``, as the call of the channel in the entry explains it."""

    def lines(values: Values) -> Iterator[str]:
        if code := values.get(key):
            channel = values.get("channel")
            known = channel if channel in CHANNELS else Channel.SYSTEM_NOTIFICATION
            meaning = explain_code(code, known).meaning
            yield line(gettext("Error code"), f"{code} · {meaning}")

    return lines


def _rule(stored: Any) -> str:
    return str(Rule.from_json(stored))


def excepted(values: Values) -> Iterator[str]:
    """The excepted groups; an entry has the first ones and the number of all."""
    groups = values.get("excepted") or []
    names = [f"{one['name']} ({one['group_id']})" for one in groups]
    if names:
        text = join_first(names, values.get("excepted_count"))
        yield line(gettext("Excepted by name"), text)


# Details that events of other folders use, too.
CHANNEL = Detail("channel", _("Channel"), choice(dict(Channel.choices)))
CODE = explained("code")
GROUPS = Detail("groups", _("Groups"))
LEFT_OUT = Detail("left_out_count", _("Groups left out"))
NOTE = Detail("note", _("Note"))
NOT_AFTER = Detail("not_after", _("Not after"), moment)
RULE = Detail("rule", _("Rule"), _rule)
WRITTEN_BY = Detail("written_by", _("Written by"))

_ENDED = (Detail("cancelled", _("Not called")), Detail("failed", _("Failed")))

SCHEDULED = Event(
    "scheduled",
    _("scheduled"),
    _("Set the time to send."),
    Detail("start", _("Start"), moment),
    Detail("before", _("Start before"), moment),
    CHANNEL,
    WRITTEN_BY,
    NOT_AFTER,
    GROUPS,
    RULE,
    excepted,
    LEFT_OUT,
)

STARTED = Event("started", _("started on schedule"), _("Started on schedule."))

EXPIRED = Event(
    "expired",
    _("stopped: the time “not after” passed"),
    _("Stopped: the time “not after” passed."),
    *_ENDED,
)

PAUSED = Event(
    "paused",
    _("paused"),
    pgettext_lazy("action", "Paused."),
    Detail("reason", _("Reason"), choice(dict(Notification.PauseReason.choices))),
    Detail("controller", _("Controlled by")),
    CODE,
    NOTE,
)

RESUMED = Event("resumed", _("continued"), pgettext_lazy("action", "Continued."))

STOPPED = Event("stopped", _("stopped"), pgettext_lazy("action", "Stopped."), *_ENDED)

FINISHED_PAUSED = Event(
    "finished_paused",
    _("finished while paused"),
    _("Finished while it was paused: nothing was left to send."),
)
TAKEN_OVER = Event("taken_over", _("taken over"), _("Took it over from %(before)s."))

RESOLVED = Event(
    "resolved", _("cleared up"), _("Wrote down what became of a delivery."), NOTE
)

ASKED = Event(
    "asked",
    _("Tencent asked before its time"),
    ngettext_lazy(
        "Asked Tencent about %(n)d delivery that was not confirmed.",
        "Asked Tencent about %(n)d deliveries that were not confirmed.",
        "n",
    ),
    count="deliveries",
)

ALL_STOPPED = Event("all_stopped", _("all sending stopped"), _("Stopped all sending."))

ALL_ALLOWED = Event(
    "all_allowed", _("all sending allowed again"), _("Allowed sending again.")
)

QUARANTINED = Event(
    "quarantined",
    _("put in quarantine after a restore"),
    ngettext_lazy(
        "Paused after a restore; %(n)d delivery became not confirmed.",
        "Paused after a restore; %(n)d deliveries became not confirmed.",
        "n",
    ),
    count="deliveries",
)

LATE_ANSWER = Event(
    "late_answer",
    _("answer after the delivery was given up"),
    _("An answer came after the delivery was given up."),
    Detail(
        "outcome",
        _("Result"),
        choice(
            {
                "accepted": _("Tencent accepted it"),
                "rejected": _("Tencent refused it"),
                "not_sent": _("nothing was sent"),
                "unconfirmed": _("still not confirmed"),
            }
        ),
    ),
    explained("error_code"),
)
