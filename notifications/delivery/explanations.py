"""Explanations of ErrorCodes and reasons, in the active language.

The same code may be about something else in the call of another channel.
"""

from dataclasses import dataclass, replace

from django.utils.translation import get_language

from notifications.delivery.channels import CHANNELS
from notifications.models import Channel, Delivery
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Reason


@dataclass(frozen=True, slots=True)
class Explanation:
    """``mark`` is the ErrorCode; empty for a call without an answer."""

    mark: str
    meaning: str
    remedy: str


def explain_code(code: int, channel: str = Channel.SYSTEM_NOTIFICATION) -> Explanation:
    info = error_codes.info(code, CHANNELS[channel].command)
    language = _language_key()
    return Explanation(str(code), info.meaning[language], info.remedy[language])


def explain_reason(
    reason: str, channel: str = Channel.SYSTEM_NOTIFICATION
) -> Explanation:
    text = error_codes.explain_reason(Reason(reason), CHANNELS[channel].command)
    language = _language_key()
    return Explanation("", text.meaning[language], text.remedy[language])


def explain_reading(code: int | None, reason: str) -> Explanation:
    """Explain why a call that reads was rejected, or (without a code) not answered."""
    explanation = explain_reason(reason) if code is None else explain_code(code)
    remedy = error_codes.reading_remedy(code)[_language_key()]
    return replace(explanation, remedy=remedy)


def explain(delivery: Delivery) -> Explanation | None:
    """Explain the result of a delivery; ``None`` without a problem."""
    if delivery.reason:
        return explain_reason(delivery.reason, delivery.channel)
    if delivery.error_code:
        return explain_code(delivery.error_code, delivery.channel)
    return None


def _language_key() -> str:
    return error_codes.language_key(get_language() or "en")
