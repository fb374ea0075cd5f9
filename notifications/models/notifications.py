"""Notifications: content, audience and state.

The transitions are listed in ``notification_states``. If another process has changed the
state meanwhile, a transition raises ``WrongState`` and changes nothing.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self, TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models import notification_states
from notifications.models.channels import Channel
from notifications.models.field_uses import Use
from notifications.models.workers import wake_workers
from notifications.tencent.message_options import MessageOptions

NOTE_MAX_LENGTH = 200
# A scheduled start that is late by more, for example after an outage, needs a decision.
LATE_AFTER = timedelta(minutes=15)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def sent(self) -> Self:
        """All notifications but drafts: the history."""
        return self.exclude(status=Notification.Status.DRAFT)

    def drafts_of(self, user_id: int) -> Self:
        return self.filter(status=Notification.Status.DRAFT, sender_id=user_id)

    def corrections(self) -> Self:
        return self.filter(channel=Channel.CORRECTION)

    def visible_to(self, user_id: int) -> Self:
        """The history, and the drafts that this user holds."""
        return self.filter(~Q(status=Notification.Status.DRAFT) | Q(sender_id=user_id))


class Notification(models.Model):
    Status: TypeAlias = notification_states.Status
    PauseReason: TypeAlias = notification_states.PauseReason
    StopReason: TypeAlias = notification_states.StopReason

    OPEN = notification_states.OPEN
    ENDED = notification_states.ENDED

    class Audience(models.TextChoices):
        CHOSEN = "chosen", _("Groups I choose")
        RULE = "rule", _("Groups by type, label or name")
        SAVED = "saved", _("A saved audience")
        EVERY = "every", _("Every group")

    # Created with the page or the command: a form sent twice reuses the first draft.
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # Counts the changes of a draft: a form with an older version is refused.
    version = models.PositiveIntegerField(default=1)
    # Who pressed Send; of a draft, the only person who may open, change and send it.
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("sender")
    )
    sender_name = models.CharField(_("sender"), max_length=150)
    # Who last changed the draft: another person than the sender after a handover.
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    written_by_name = models.CharField(_("written by"), max_length=150)
    # The colleague who took it over; null = the sender. Not sealed: pages show it only
    # before the end, and the audit trail has each takeover.
    controlled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # Sent by a superuser, so without the permissions of a role.
    by_superuser = models.BooleanField(default=False)
    content = models.TextField(_("message"))
    note = models.CharField(
        _("note for the history"), max_length=NOTE_MAX_LENGTH, blank=True
    )
    # One member ID per line; empty = everyone in the group.
    recipients = models.TextField(_("members"), blank=True)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        default=Channel.SYSTEM_NOTIFICATION,
        db_default=Channel.SYSTEM_NOTIFICATION,
    )
    # ``MessageOptions`` as JSON; empty = all have their defaults.
    message_options = models.TextField(blank=True, default="", db_default="")

    audience = models.CharField(_("send to"), max_length=8, choices=Audience)
    # Group IDs for CHOSEN, in the order of the input; a Rule as JSON for RULE; the name
    # of the audience for SAVED.
    audience_values = models.JSONField(default=list)
    audience_count = models.PositiveIntegerField(null=True)
    # The digest of ``compose.checked``: everything that Check showed and Send recorded.
    checked_digest = models.CharField(max_length=64, blank=True)

    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT
    )
    paused_reason = models.CharField(max_length=16, choices=PauseReason, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)  # empty = the worker
    paused_code = models.IntegerField(null=True)
    paused_note = models.CharField(max_length=NOTE_MAX_LENGTH, blank=True)
    stop_reason = models.CharField(max_length=16, choices=StopReason, blank=True)
    # Consecutive calls that ended unconfirmed or not sent.
    doubt_streak = models.PositiveIntegerField(default=0)
    # The share of failures counts deliveries that ended since the start or a resume.
    watched_since = models.DateTimeField(null=True)

    scheduled_for = models.DateTimeField(_("scheduled for"), null=True)
    # No call starts after this time: a late notice can be worse than none.
    not_after = models.DateTimeField(_("not after"), null=True)
    # The notification whose failed or unconfirmed deliveries this one sends again.
    resend_of = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="resends"
    )

    # The notification whose messages a recall or a correction changes.
    amends = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="amendments",
        db_index=False,  # the partial index below
    )

    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    FIELDS: ClassVar = {
        "id": Use.FIXED | Use.SEALED,
        "token": Use.FIXED | Use.SEALED,
        "version": Use.FROZEN,
        "sender": Use.FROZEN | Use.SEALED,
        "sender_name": Use.FROZEN | Use.SEALED,
        "written_by": Use.FROZEN | Use.SEALED | Use.COPIED,
        "written_by_name": Use.FROZEN | Use.SEALED | Use.EXPORTED | Use.COPIED,
        "controlled_by": Use.LATE,
        "by_superuser": Use.FROZEN | Use.SEALED | Use.EXPORTED,
        "content": Use.FROZEN | Use.SEALED | Use.EXPORTED | Use.COPIED,
        "note": Use.FROZEN | Use.SEALED | Use.EXPORTED | Use.COPIED,
        "recipients": Use.FROZEN | Use.SEALED | Use.COPIED,
        "channel": Use.FROZEN | Use.SEALED | Use.EXPORTED | Use.COPIED,
        "message_options": Use.FROZEN | Use.SEALED | Use.EXPORTED | Use.COPIED,
        "audience": Use.FROZEN | Use.SEALED,
        "audience_values": Use.FROZEN | Use.SEALED,
        "audience_count": Use.FROZEN | Use.SEALED,
        "checked_digest": Use.FROZEN | Use.SEALED,
        "status": Use.SEALED,
        "paused_reason": Use.NONE,
        "paused_by": Use.NONE,
        "paused_code": Use.NONE,
        "paused_note": Use.NONE,
        "stop_reason": Use.SEALED,
        "doubt_streak": Use.LATE,  # calls in flight at a stop still count
        "watched_since": Use.NONE,
        "scheduled_for": Use.SEALED,
        "not_after": Use.SEALED,
        "resend_of": Use.FROZEN | Use.SEALED | Use.EXPORTED,
        "amends": Use.FROZEN | Use.SEALED | Use.EXPORTED,
        "created_at": Use.FROZEN | Use.SEALED,
        "sent_at": Use.SEALED,  # has its own guard: frozen once it is set
        "finished_at": Use.SEALED,
    }

    objects: ClassVar = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("send_notification", _("May write and send")),
            ("view_history", _("May see the history")),
            ("export_history", _("May download the history")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status"]),
            models.Index(
                fields=["amends"],
                condition=Q(amends__isnull=False),
                name="notification_amends",
            ),
        ]
        constraints: ClassVar = notification_states.CONSTRAINTS

    def __str__(self) -> str:
        return f"#{self.pk} {self.content[:40]}"

    def get_absolute_url(self) -> str:
        return reverse("admin:notification_progress", args=[self.pk])

    @property
    def recipient_ids(self) -> list[str] | None:
        """The named members, or ``None`` for everyone in the group."""
        return self.recipients.splitlines() or None

    @property
    def options(self) -> MessageOptions:
        """The options of a group message; defaults for other channels."""
        return MessageOptions.from_json(json.loads(self.message_options or "{}"))

    @property
    def accepted_label(self) -> str:
        """The result of its accepted deliveries."""
        return Channel(self.channel).accepted_label

    @property
    def is_recall(self) -> bool:
        return self.channel == Channel.RECALL

    @property
    def is_correction(self) -> bool:
        return self.channel == Channel.CORRECTION

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def controller_id(self) -> int:
        """The person who may continue, reschedule and resend it."""
        return self.controlled_by_id or self.sender_id

    @property
    def controller_name(self) -> str:
        """The present username; ``sender_name`` is that of the day of the send."""
        return (self.controlled_by or self.sender).get_username()

    def start_is_late(self, now: datetime) -> bool:
        """Whether the start is too late to happen without a decision by a person."""
        start = self.scheduled_for
        return start is not None and now - start > LATE_AFTER

    # --- transitions: each method is an event of ``TRANSITIONS`` -------------------

    def schedule(self, start: datetime) -> None:
        """A worker starts the notification at this time."""
        notification_states.move(self, "schedule", scheduled_for=start)

    def reschedule(self, start: datetime, *, not_after: datetime | None) -> None:
        notification_states.move(
            self, "reschedule", scheduled_for=start, not_after=not_after
        )

    def start(self) -> None:
        """Release the deliveries to the workers."""
        now = timezone.now()
        notification_states.move(self, "start", sent_at=now, watched_since=now)
        wake_workers()

    def pause(
        self,
        reason: notification_states.PauseReason,
        *,
        by: str = "",
        code: int | None = None,
        note: str = "",
    ) -> None:
        """``by`` is a username, empty for the worker."""
        notification_states.move(
            self,
            "pause",
            paused_reason=reason,
            paused_by=by,
            paused_code=code,
            paused_note=note,
        )

    def resume(self) -> None:
        """Continue sending, and reset the counts of the circuit breakers.

        If the pause began before the scheduled time, wait for that time again.
        """
        row = notification_states.transition(self, "resume")
        if row.target == self.Status.SCHEDULED:
            notification_states.apply(self, row, **notification_states.NOT_PAUSED)
            return
        now = timezone.now()
        notification_states.apply(
            self,
            row,
            **notification_states.NOT_PAUSED,
            doubt_streak=0,
            watched_since=now,
            sent_at=self.sent_at or now,
        )
        wake_workers()

    def cancel(self, reason: notification_states.StopReason) -> None:
        """Calls in flight still get their outcome."""
        notification_states.move(
            self,
            "cancel",
            **notification_states.NOT_PAUSED,
            finished_at=timezone.now(),
            stop_reason=reason,
        )

    def complete(self) -> None:
        """Requires that all deliveries have ended.

        A scheduled notification that was put in quarantine has ended without a start; it
        may have been sent before the restore.
        """
        now = timezone.now()
        notification_states.move(
            self,
            "complete",
            **notification_states.NOT_PAUSED,
            sent_at=self.sent_at or now,
            finished_at=now,
        )


def join_recipients(ids: Sequence[str] | None) -> str:
    """The stored form of a list of member IDs; ``None`` is everyone."""
    return "\n".join(ids or ())
