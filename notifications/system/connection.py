"""The steps of a connection check and their results.

The results are stored in an audit entry as data rather than sentences, so that each page
can show them in the reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CheckStep(models.TextChoices):
    """The steps in the order of the check."""

    SETTINGS = "settings", _("Settings")
    HOST = "host", _("Host name")
    CONNECTION = "connection", _("Connection")
    TLS = "tls", _("TLS certificate")
    ANSWER = "answer", _("Tencent’s answer")
    CLOCK = "clock", _("Clock")
    APPLICATION = "application", _("SDKAppID")
    KEY = "key", _("Key")
    ADMINISTRATOR = "administrator", _("Administrator")


class StepState(models.TextChoices):
    PASSED = "passed", pgettext_lazy("step", "Passed")
    FAILED = "failed", pgettext_lazy("step", "Failed")
    NOT_REACHED = "not_reached", pgettext_lazy("step", "Not reached")


@dataclass(frozen=True, slots=True)
class StepResult:
    """``finding`` is a key of ``connection_presentation.FINDINGS``, a text that takes
    ``values``."""

    step: CheckStep
    state: StepState
    finding: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """One check by ``actor``, with its results in the order of the steps."""

    at: datetime
    actor: str
    results: Sequence[StepResult]

    @property
    def has_passed(self) -> bool:
        return failed_step(self.results) is None


def failed_step(results: Sequence[StepResult]) -> StepResult | None:
    """The first result that failed."""
    return next((r for r in results if r.state is StepState.FAILED), None)


def as_detail(results: Sequence[StepResult]) -> dict[str, Any]:
    """The detail of the audit entry."""
    failed = failed_step(results)
    return {
        "result": StepState.FAILED.value if failed else StepState.PASSED.value,
        "step": failed.step.value if failed else "",
        "steps": [asdict(result) for result in results],
    }
