"""The states of a notification, the table of its transitions, and its constraints.

draft → scheduled → sending ⇄ paused → completed
            └──────────┴─────────┴───► cancelled
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import BaseConstraint, CheckConstraint, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models.channels import AMENDING, Channel

if TYPE_CHECKING:
    from notifications.models.notifications import Notification


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    PAUSED = "paused", _("Paused")
    COMPLETED = "completed", _("Finished")
    CANCELLED = "cancelled", _("Stopped")


OPEN = frozenset({Status.SCHEDULED, Status.SENDING, Status.PAUSED})

ENDED = frozenset({Status.COMPLETED, Status.CANCELLED})


class PauseReason(models.TextChoices):
    PERSON = "person", _("paused by a person")
    ACCOUNT_CODE = "account_code", _("Tencent refused the account")
    TEXT_CODE = "text_code", _("Tencent refused the text or the list of members")
    DOUBT = "doubt", _("too many calls in a row without an answer")
    NOT_SENT = "not_sent", _("the chat service cannot be reached")
    FAILURES = "failures", _("half of the last 200 calls failed")
    LATE = "late", _("the scheduled time was missed by more than 15 minutes")
    RESTORED = "restored", _("the database was restored from a backup")
    SENDER_LOST = "sender_lost", _("the person who controls it may no longer send")


# Resets the fields that a pause has set.
NOT_PAUSED = {
    "paused_reason": "",
    "paused_by": "",
    "paused_code": None,
    "paused_note": "",
}


class StopReason(models.TextChoices):
    PERSON = "person", _("stopped by a person")
    EXPIRED = "expired", _("the time “not after” has passed")


# The rules about one notification that the database enforces.
CONSTRAINTS: list[BaseConstraint] = [
    CheckConstraint(
        condition=Q(status__in=Status.values),
        name="notification_status_known",
    ),
    CheckConstraint(
        condition=~Q(status__in=["sending", "completed"]) | Q(sent_at__isnull=False),
        name="notification_sent_has_time",
    ),
    CheckConstraint(
        condition=~Q(status__in=["draft", "scheduled"]) | Q(sent_at__isnull=True),
        name="notification_not_sent_has_no_time",
    ),
    CheckConstraint(
        condition=Q(status__in=["completed", "cancelled"], finished_at__isnull=False)
        | (~Q(status__in=["completed", "cancelled"]) & Q(finished_at__isnull=True)),
        name="notification_ended_has_time",
    ),
    CheckConstraint(
        condition=(Q(status="paused") & ~Q(paused_reason=""))
        | (~Q(status="paused") & Q(paused_reason="")),
        name="notification_paused_has_reason",
    ),
    CheckConstraint(
        condition=Q(paused_reason__in=["", *PauseReason.values]),
        name="notification_paused_reason_known",
    ),
    CheckConstraint(
        condition=Q(status="paused")
        | Q(paused_by="", paused_code__isnull=True, paused_note=""),
        name="notification_pause_ends_whole",
    ),
    CheckConstraint(
        condition=~Q(status="scheduled") | Q(scheduled_for__isnull=False),
        name="notification_scheduled_has_time",
    ),
    CheckConstraint(
        condition=Q(stop_reason="")
        | Q(
            status="cancelled",
            stop_reason__in=StopReason.values,
        ),
        name="notification_stop_reason_known",
    ),
    CheckConstraint(condition=~Q(content=""), name="notification_has_content"),
    CheckConstraint(condition=~Q(sender_name=""), name="notification_has_sender"),
    CheckConstraint(condition=~Q(written_by_name=""), name="notification_has_writer"),
    CheckConstraint(
        condition=Q(channel__in=[Channel.GROUP_MESSAGE, Channel.CORRECTION])
        | Q(
            channel__in=[Channel.SYSTEM_NOTIFICATION, Channel.RECALL],
            message_options="",
        ),
        name="notification_options_of_channel",
    ),
    CheckConstraint(
        condition=Q(channel__in=AMENDING, amends__isnull=False)
        | (~Q(channel__in=AMENDING) & Q(amends__isnull=True)),
        name="notification_amends_another",
    ),
    CheckConstraint(
        condition=Q(audience__in=["chosen", "rule", "saved", "every"]),
        name="notification_audience_known",
    ),
]


class WrongState(Exception):
    """The state of the notification does not allow this transition."""

    def __init__(self, notification_id: int, target: str) -> None:
        super().__init__(
            f"Notification {notification_id} cannot be moved to “{target}” now: its state "
            f"has changed. Reload it and decide again."
        )


def is_always_possible(_notification: "Notification") -> bool:
    return True


def is_before_its_time(notification: "Notification") -> bool:
    """Whether sending never started and the scheduled time is in the future."""
    start = notification.scheduled_for
    return notification.sent_at is None and start is not None and start > timezone.now()


def has_no_open_delivery(notification: "Notification") -> bool:
    return not notification.deliveries.open().exists()


@dataclass(frozen=True, slots=True)
class Transition:
    """``event`` moves a notification from one of the states ``sources`` to ``target``.

    An event is a method of ``Notification``. Of its rows, the first one with a
    ``condition`` that holds applies.
    """

    event: str
    sources: frozenset[Status]
    target: Status
    condition: Callable[["Notification"], bool] = is_always_possible


TRANSITIONS = (
    Transition("schedule", frozenset({Status.DRAFT}), Status.SCHEDULED),
    Transition("reschedule", frozenset({Status.SCHEDULED}), Status.SCHEDULED),
    Transition("start", frozenset({Status.DRAFT, Status.SCHEDULED}), Status.SENDING),
    Transition("pause", frozenset({Status.SCHEDULED, Status.SENDING}), Status.PAUSED),
    Transition(
        "resume", frozenset({Status.PAUSED}), Status.SCHEDULED, is_before_its_time
    ),
    Transition("resume", frozenset({Status.PAUSED}), Status.SENDING),
    Transition("cancel", OPEN, Status.CANCELLED),
    Transition(
        "complete",
        frozenset({Status.SENDING, Status.PAUSED}),
        Status.COMPLETED,
        has_no_open_delivery,
    ),
)


def move(notification: "Notification", event: str, **fields: Any) -> None:
    """Save the next state and ``fields``. Raises ``WrongState``."""
    apply(notification, transition(notification, event), **fields)


def transition(notification: "Notification", event: str) -> Transition:
    """The transition that applies. Raises ``WrongState`` if no condition holds."""
    for row in TRANSITIONS:
        if row.event == event and row.condition(notification):
            return row
    raise WrongState(notification.pk, event)


def apply(notification: "Notification", row: Transition, **fields: Any) -> None:
    """Raises ``WrongState`` if another process has changed the state in the database."""
    updated = (
        type(notification)
        .objects.filter(pk=notification.pk, status__in=list(row.sources))
        .update(status=row.target, **fields)
    )
    if updated != 1:
        raise WrongState(notification.pk, row.target)
    notification.status = row.target
    for name, value in fields.items():
        setattr(notification, name, value)
