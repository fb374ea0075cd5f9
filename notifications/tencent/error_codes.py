"""The catalogue of error codes: meaning, remedy, retry; and hints for the connection check.

Data: ``error_codes.json`` (the codes that our calls can answer), ``reasons.json`` (why
a call gave no verdict) and ``reading_remedies.json`` (what to do when a call that reads
failed: nothing was shown to anybody), each in both languages. Facts come from Tencent's list of
error codes, https://cloud.tencent.com/document/product/269/1671; ``retry``, ``outcome``
and ``scope`` are our reading of its descriptions.

Data: ``connection_remedies.json`` (of which step a code speaks, what it proves of the
others, what to do) and ``first_hour.json``, each in both languages. Which code speaks of
which step is our reading of https://cloud.tencent.com/document/product/269/1671.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from notifications.tencent.outcomes import Reason

DATA = Path(__file__).parent / "data"

WRONG_KEY = 70009


class Retry(StrEnum):
    NEVER = "never"  # a person must change something first
    SAFE = "safe"  # a new UserSig may mend it at once
    AFTER_BACKOFF = "after_backoff"  # waiting may help


class Scope(StrEnum):
    """What a refusal is about: the other groups are refused alike, or are not."""

    ACCOUNT = "account"
    NOTIFICATION = "notification"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Text:
    """Both by language: ``en`` and ``zh-hans``."""

    meaning: Mapping[str, str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CodeInfo(Text):
    code: int
    name: str
    category: str
    retry: Retry
    certain: bool  # that nobody has seen the notice
    scope: Scope

    @property
    def is_rate_limit(self) -> bool:
        return self.category == "rate_limit"

    @property
    def can_be_retried(self) -> bool:
        """By the program itself; 10002 has a setting of its own."""
        return self.retry is Retry.AFTER_BACKOFF and self.certain

    @property
    def is_wrong_key(self) -> bool:
        return self.code == WRONG_KEY

    @property
    def refuses_user_sig(self) -> bool:
        """Another UserSig may mend it, of this key or of the other one."""
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


_CODES = {
    row["code"]: _code_info(row)
    for row in json.loads((DATA / "error_codes.json").read_text("utf-8"))
}

_REASONS = {
    Reason(row["reason"]): Text(row["meaning"], row["remedy"])
    for row in json.loads((DATA / "reasons.json").read_text("utf-8"))
}

_READING_REMEDIES: dict[str, Mapping[str, str]] = {
    row["category"]: row["remedy"]
    for row in json.loads((DATA / "reading_remedies.json").read_text("utf-8"))
}


def info(code: int) -> CodeInfo:
    """What is known of a code; of an unknown one, that nothing is known."""
    return _CODES.get(code) or CodeInfo(
        meaning={
            "en": "Tencent answered with a code that is not on our list.",
            "zh-hans": "腾讯返回了列表中没有的错误码。",
        },
        remedy={
            "en": "Read Tencent’s own text beside the code. Members may have seen the "
            "notification.",
            "zh-hans": "请查看错误码旁腾讯返回的原文。成员可能已经看到通知。",
        },
        code=code,
        name="unknown",
        category="other",
        retry=Retry.NEVER,
        certain=False,
        scope=Scope.GROUP,
    )


def all_codes() -> Sequence[CodeInfo]:
    """The catalogue in order of code."""
    return list(_CODES.values())


def explain_reason(reason: Reason) -> Text:
    """Why a call gave no verdict, and what to do."""
    return _REASONS[reason]


def reading_remedy(code: int | None) -> Mapping[str, str]:
    """What to do when a call that reads was refused, or without a code gave no verdict."""
    category = "no_verdict" if code is None else info(code).category
    return _READING_REMEDIES[category]


def language_key(language_code: str) -> str:
    """The key of the texts for a Django language code: ``zh-hans`` or ``en``."""
    return "zh-hans" if language_code.lower().startswith("zh") else "en"


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """``step`` is the one that failed, ``proves`` are those that the code vouches for."""

    step: str
    proves: Sequence[str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hint:
    """One known failure by language: its name, how it shows, what to do."""

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
    """Of a code that is on no list, that it has to be looked up."""
    return _REFUSALS.get(code) or _REFUSALS[None]
