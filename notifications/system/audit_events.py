"""Audit events: checks of the connection to Tencent, probes of the application."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import choice, line
from notifications.audit_log import Detail, Event, Values
from notifications.models import Capability
from notifications.system.connection import CheckStep, StepState
from notifications.system.probe.presentation import LABELS

_state, _step = choice(dict(StepState.choices)), choice(dict(CheckStep.choices))


def _result(values: Values) -> Iterator[str]:
    """The result of the check, with the step that failed."""
    if "result" not in values:
        return
    text = _state(values["result"])
    if step := values.get("step"):
        text = gettext("%(result)s: %(step)s") % {"result": text, "step": _step(step)}
    yield line(gettext("Result"), text)


CONNECTION_CHECKED = Event(
    "connection_checked",
    _("connection checked"),
    _("Checked the connection to Tencent."),
    _result,
)

_answer = choice(dict(Capability.Answer.choices))


def _answers(values: Values) -> Iterator[str]:
    """The capabilities by their words, each with its answer and code."""
    for row in values.get("results", ()):
        code = row.get("error_code")
        text = _answer(row["answer"]) + (f" ({code})" if code else "")
        yield line(LABELS.get(row["name"], row["name"]), text)


def _ended_without_storing(values: Values) -> Iterator[str]:
    if values.get("is_stored") is False:
        yield gettext("The right was lost meanwhile: nothing was stored.")


_GROUP = Detail("group_id", _("Group ID"))

PROBE_STARTED = Event(
    "probe_started",
    _("probe started"),
    _("Began to try out in a group what the application may do."),
    _GROUP,
    Detail("name", _("Name")),
    Detail("member", _("Named member")),
)

PROBE_ENDED = Event(
    "probe_ended",
    _("probe ended"),
    _("Tried out in a group what the application may do."),
    _GROUP,
    _answers,
    Detail("remaining", _("Messages that could not be taken back")),
    Detail("untraced", _("Messages without a known number")),
    _ended_without_storing,
)
