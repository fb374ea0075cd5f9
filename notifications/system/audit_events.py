"""Audit events: checks of the connection to Tencent."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.audit.presentation import choice, line
from notifications.audit_log import Event, Values
from notifications.system.connection import CheckStep, StepState

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
