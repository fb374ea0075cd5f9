"""The catalogue of error codes: meaning, remedy, retry; hints for the connection check.

Data files, each in both languages:

* ``error_codes.json``: the codes that our calls can return
* ``reasons.json``: why a call has no verdict
* ``reading_remedies.json``: what to do when a call that reads failed (it showed no
  notice)
* ``connection_remedies.json``: the step of the connection check that a code fails, the
  steps that it proves, what to do
* ``first_hour.json``: failures that are common when an application is set up

The first two describe the system notification, or the only call that can have the code
or the reason. Their ``calls`` have what differs for another call: the same code can be
about one group there and about the whole account here.

Facts come from Tencent's list of error codes,
https://cloud.tencent.com/document/product/269/1671; ``retry``, ``outcome``, ``scope``
and the steps are our interpretation of its descriptions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from notifications.tencent.outcomes import Reason

DATA = Path(__file__).parent / "data"

WRONG_KEY = 70009

# The call that the catalogue describes, except where ``calls`` has an entry.
DEFAULT_COMMAND = "send_group_system_notification"


class Retry(StrEnum):
    NEVER = "never"  # a person must change something first
    SAFE = "safe"  # may succeed at once with a new UserSig
    AFTER_BACKOFF = "after_backoff"  # may succeed later


class Scope(StrEnum):
    """Which other calls get the same refusal."""

    ACCOUNT = "account"
    NOTIFICATION = "notification"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Text:
    """Meaning and remedy by language: ``en`` and ``zh-hans``."""

    meaning: Mapping[str, str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CodeInfo(Text):
    code: int
    name: str
    category: str
    retry: Retry
    certain: bool  # the call had no effect: members see no change
    scope: Scope

    @property
    def is_rate_limit(self) -> bool:
        return self.category == "rate_limit"

    @property
    def can_be_retried(self) -> bool:
        """Whether the worker retries by itself; 10002 has a setting of its own."""
        return self.retry is Retry.AFTER_BACKOFF and self.certain

    @property
    def is_wrong_key(self) -> bool:
        return self.code == WRONG_KEY

    @property
    def refuses_user_sig(self) -> bool:
        """Whether a new UserSig, of this key or of the other one, may be accepted."""
        return self.retry is Retry.SAFE or self.is_wrong_key


def _code_info(row: Mapping[str, object]) -> CodeInfo:
    values = dict(row)
    return CodeInfo(
        meaning=values["meaning"],  # type: ignore[arg-type]  # tests/tencent/test_error_codes.py
        remedy=values["remedy"],  # type: ignore[arg-type]  # checks the data
        code=int(str(values["code"])),
        name=str(values["name"]),
        category=str(values["category"]),
        retry=Retry(str(values["retry"])),
        certain=values["outcome"] == "rejected",
        scope=Scope(str(values["scope"])),
    )


_CODE_ROWS = json.loads((DATA / "error_codes.json").read_text("utf-8"))

_CODES = {row["code"]: _code_info(row) for row in _CODE_ROWS}

_CODES_OF_CALLS = {
    (command, row["code"]): _code_info(row | changes)
    for row in _CODE_ROWS
    for command, changes in row.get("calls", {}).items()
}

_REASON_ROWS = json.loads((DATA / "reasons.json").read_text("utf-8"))

_REASONS = {
    Reason(row["reason"]): Text(row["meaning"], row["remedy"]) for row in _REASON_ROWS
}

_REASONS_OF_CALLS = {
    (command, Reason(row["reason"])): Text(
        changes.get("meaning", row["meaning"]), changes["remedy"]
    )
    for row in _REASON_ROWS
    for command, changes in row.get("calls", {}).items()
}

_READING_REMEDIES: dict[str, Mapping[str, str]] = {
    row["category"]: row["remedy"]
    for row in json.loads((DATA / "reading_remedies.json").read_text("utf-8"))
}


def info(code: int, command: str = DEFAULT_COMMAND) -> CodeInfo:
    """The catalogue's entry for a code of a call, or a generic one for other codes."""
    info_of_call = _CODES_OF_CALLS.get((command, code)) or _CODES.get(code)
    return info_of_call or CodeInfo(
        meaning={
            "en": "Tencent answered with a code that is not on our list.",
            "zh-hans": "腾讯返回了列表中没有的错误码。",
        },
        remedy={
            "en": "Read Tencent’s own text beside the code. The call may have had its "
            "effect all the same.",
            "zh-hans": "请查看错误码旁腾讯返回的原文。该操作可能已经生效。",
        },
        code=code,
        name="unknown",
        category="other",
        retry=Retry.NEVER,
        certain=False,
        scope=Scope.GROUP,
    )


def all_codes() -> Sequence[CodeInfo]:
    """The catalogue, ordered by code."""
    return list(_CODES.values())


def explain_reason(reason: Reason, command: str = DEFAULT_COMMAND) -> Text:
    """Why a call has no verdict, and what to do."""
    return _REASONS_OF_CALLS.get((command, reason)) or _REASONS[reason]


def reading_remedy(code: int | None) -> Mapping[str, str]:
    """What to do when a reading call was refused, or (no code) has no verdict."""
    category = "no_verdict" if code is None else info(code).category
    return _READING_REMEDIES[category]


def language_key(language_code: str) -> str:
    """The key of the data files for a Django language code: ``zh-hans`` or ``en``."""
    return "zh-hans" if language_code.lower().startswith("zh") else "en"


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """``step`` failed; the code proves that the steps in ``proves`` succeeded."""

    step: str
    proves: Sequence[str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hint:
    """One common failure by language: its name, its symptom, what to do."""

    name: Mapping[str, str]
    seen: Mapping[str, str]
    remedy: Mapping[str, str]


_ROWS = json.loads((DATA / "connection_remedies.json").read_text("utf-8"))

_REFUSALS = {
    code: RefusedStep(row["step"], row["proves"], row["remedy"])
    for row in _ROWS
    for code in row["codes"] or [None]
}

FIRST_HOUR = [
    Hint(**row) for row in json.loads((DATA / "first_hour.json").read_text("utf-8"))
]


def about(code: int) -> RefusedStep:
    """The step that a code fails; a generic entry for an unlisted code."""
    return _REFUSALS.get(code) or _REFUSALS[None]
