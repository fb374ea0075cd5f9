"""When the call that sent a message may be repeated, to learn whether it arrived.

Only for live rooms, which have no history. A repeat shows nothing new to members who have
the message, but shows it to those who do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications.delivery import capabilities
from notifications.delivery.reconcile.questions import Kind, Question
from notifications.models import Capability, Delivery, Notification, SendingSwitch


@dataclass(frozen=True, slots=True)
class Allowed:
    """``closed`` as in ``Due``; ``waiting``: not repeated while sending is stopped."""

    questions: Sequence[Question]
    closed: Sequence[int]
    waiting: Sequence[int]


def allowed(questions: Sequence[Question], now: datetime) -> Allowed:
    """Which of the questions may be asked at this moment: call it before each call.

    A call is not repeated while sending is stopped, nor when its message is not wanted any
    more or is being taken back, nor if a probe found that members see a repeat. Four
    queries if a call is to be repeated, otherwise none.
    """
    repeats = [one for one in questions if one.kind is Kind.REPEAT]
    if not repeats:
        return Allowed(questions, [], [])
    numbers = {one.notification_id for one in repeats}
    notifications = Notification.objects.only("status", "not_after").in_bulk(numbers)
    taken_back = set(
        Delivery.objects.recalls()
        .filter(
            status=Delivery.Status.QUEUED,
            amended_delivery__in=[one.delivery_id for one in repeats],
        )
        .values_list("amended_delivery", flat=True)
    )
    is_off = SendingSwitch.present().is_off
    probed = capabilities.answer(capabilities.REPEAT)
    is_shown_twice = probed is not None and probed.answer == Capability.Answer.NO
    may_be_asked = [one for one in questions if one.kind is not Kind.REPEAT]
    closed: list[int] = []
    waiting: list[int] = []
    for question in repeats:
        notification = notifications[question.notification_id]
        is_unwanted = question.delivery_id in taken_back or _is_too_late(
            question, notification, now
        )
        if is_shown_twice or is_unwanted:
            closed.append(question.delivery_id)
        elif is_off or notification.status == Notification.Status.PAUSED:
            waiting.append(question.delivery_id)
        else:
            may_be_asked.append(question)
    return Allowed(may_be_asked, closed, waiting)


def _is_too_late(question: Question, notification: Notification, now: datetime) -> bool:
    """Whether a repeat would show a message that is not wanted any more."""
    last = notification.not_after
    return (
        notification.status == Notification.Status.CANCELLED
        or not question.first_call_at <= now < question.repeat_until
        or (last is not None and now >= last)
    )
