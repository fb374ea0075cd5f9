"""Codes and reasons in plain words, in the reader's language."""

from dataclasses import dataclass, replace

from django.utils.translation import get_language

from notifications.models import Delivery
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Reason


@dataclass(frozen=True, slots=True)
class Explanation:
    """``mark`` is the ErrorCode; empty where no verdict came."""

    mark: str
    meaning: str
    remedy: str


def explain_code(code: int) -> Explanation:
    info = error_codes.info(code)
    language = error_codes.language_key(get_language() or "en")
    return Explanation(str(code), info.meaning[language], info.remedy[language])


def explain_reason(reason: str) -> Explanation:
    text = error_codes.explain_reason(Reason(reason))
    language = error_codes.language_key(get_language() or "en")
    return Explanation("", text.meaning[language], text.remedy[language])


def explain_reading(code: int | None, reason: str) -> Explanation:
    """Why a call that reads was refused, or without a code gave no verdict."""
    why = explain_reason(reason) if code is None else explain_code(code)
    remedy = error_codes.reading_remedy(code)[
        error_codes.language_key(get_language() or "en")
    ]
    return replace(why, remedy=remedy)


def explain(delivery: Delivery) -> Explanation | None:
    """What is to be said about this result; ``None`` when all is well."""
    if delivery.reason:
        return explain_reason(delivery.reason)
    if delivery.error_code:
        return explain_code(delivery.error_code)
    return None
