"""The messages of a notification that a recall or a correction can change.

Each delivery of the notification has a message that can be changed, or a reason why it is
left out. What is not settled yet (a call in progress, an open query) is included: its row
waits for the result (``delivery/amendments``). A message that another recall or correction
is changing is left out until the result of that one is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from notifications.audit.settings_changes import application_since
from notifications.db.expressions import InList
from notifications.delivery.channels import CHANNELS
from notifications.models import Channel, ChatGroup, Delivery, Notification, Rule
from notifications.models.groups import matches_rule
from notifications.tencent.message_options import NO_HISTORY_TYPES

S = Delivery.Status

INCLUDED = ""  # instead of a ``LeftOut``


class LeftOut(StrEnum):
    """Why a message is not changed; the first reason that applies."""

    NOT_SENT = "not_sent"  # failed or cancelled: the group does not have it
    NOT_KNOWN = "not_known"  # not confirmed for good, or Tencent gave no MsgSeq
    OTHER_APPLICATION = "other_application"  # the settings named another one then
    TAKEN_BACK = "taken_back"  # a recall of it was accepted
    BEING_TAKEN_BACK = "being_taken_back"  # a recall of it has no result yet
    TOO_OLD = "too_old"  # Tencent's history may not have it any more
    # Of a correction only:
    LIVE_ROOM = "live_room"  # cannot be corrected there
    BEING_CORRECTED = "being_corrected"  # a former correction of it has no result yet
    SAME_TEXT = "same_text"  # it has the new text already


@dataclass(frozen=True, slots=True)
class Part:
    """The groups of a notification that are meant; empty fields are no condition.

    A group needs one of ``types``, the type at the time of the send, one of ``labels``,
    as they are now, and one of ``group_ids``.
    """

    types: Sequence[str] = ()
    labels: Sequence[str] = ()
    group_ids: Sequence[str] = ()

    @property
    def audience(self) -> str:
        """As in ``Notification.audience``."""
        if self.group_ids:
            return Notification.Audience.CHOSEN
        if self.types or self.labels:
            return Notification.Audience.RULE
        return Notification.Audience.EVERY

    @property
    def rule(self) -> Rule:
        return Rule(types=tuple(self.types), labels=tuple(self.labels))

    def condition(self) -> Q:
        """The condition on deliveries."""
        condition = Q()
        if self.types:
            condition &= Q(group_type__in=self.types)
        if self.labels:
            labelled = ChatGroup.objects.filter(
                matches_rule(Rule(labels=tuple(self.labels)))
            )
            condition &= Q(group_id__in=labelled.values("group_id"))
        if self.group_ids:
            condition &= Q(InList("group_id", self.group_ids))
        return condition


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of this part would reach now.

    ``waiting`` of the ``groups`` have no result yet. In ``live_rooms`` only members who
    are online now notice it. Tencent keeps the oldest message ``until``; ``None`` without
    one. In ``failed_before``, an earlier run of the same kind failed.
    """

    groups: int = 0
    waiting: int = 0
    live_rooms: int = 0
    until: datetime | None = None
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    failed_before: int = 0

    @property
    def left_out_count(self) -> int:
        return sum(self.left_out.values())


def messages(
    notification: Notification, channel: str, part: Part, now: datetime, text: str = ""
) -> QuerySet[Any]:
    """The deliveries of this part, each with ``left_out``: a reason, or ``INCLUDED``.

    ``channel`` is that of the recall or the correction, ``text`` the new one of a
    correction.
    """
    recalls = _amendments(Channel.RECALL)
    has_no_result = Q(status__in=Delivery.OPEN) | Q(next_query_at__isnull=False)
    kept_since = now - timedelta(days=settings.IM_HISTORY_DAYS)
    reasons: dict[LeftOut, Any] = {
        LeftOut.NOT_SENT: Q(status__in=[S.QUEUED, S.FAILED, S.CANCELLED]),
        LeftOut.NOT_KNOWN: Q(status=S.UNCONFIRMED, next_query_at__isnull=True)
        | (Q(status=S.ACCEPTED) & ~Q(msg_seq__gte=1)),
        LeftOut.OTHER_APPLICATION: _of_another_application(),
        LeftOut.TAKEN_BACK: Exists(recalls.filter(status=S.ACCEPTED)),
        LeftOut.BEING_TAKEN_BACK: Exists(recalls.filter(has_no_result)),
        LeftOut.TOO_OLD: Q(finished_at__lt=kept_since),
    }
    rows: QuerySet[Any] = notification.deliveries.filter(part.condition())
    if channel == Channel.CORRECTION:
        refused_types = CHANNELS[channel].refused_by_type["message"]
        corrections = _amendments(Channel.CORRECTION)
        rows = _with_present_text(rows, notification)
        reasons |= {
            LeftOut.LIVE_ROOM: Q(group_type__in=sorted(refused_types)),
            LeftOut.BEING_CORRECTED: Exists(corrections.filter(has_no_result)),
            LeftOut.SAME_TEXT: Q(present_text=text) & ~Q(present_text=""),
        }
    annotated: QuerySet[Any] = rows.annotate(
        left_out=Case(
            *(
                When(condition, then=Value(reason.value))
                for reason, condition in reasons.items()
            ),
            default=Value(INCLUDED),
            output_field=CharField(),
        )
    )
    return annotated


def _of_another_application() -> Q:
    """A group of the present application may have the same ID, and other messages."""
    since = application_since()
    return Q(pk__in=[]) if since is None else Q(claimed_at__lt=since)


def _amendments(channel: str) -> QuerySet[Delivery]:
    """The rows of recalls or corrections of the message of the outer row."""
    return Delivery.objects.filter(amended_delivery=OuterRef("pk"), channel=channel)


def _with_present_text(
    rows: QuerySet[Any], notification: Notification
) -> QuerySet[Any]:
    """Annotate ``present_text``; empty if a correction was not confirmed."""
    latest = _amendments(Channel.CORRECTION).filter(
        status__in=[S.ACCEPTED, S.UNCONFIRMED]
    )
    text = Case(
        When(status=S.ACCEPTED, then="notification__content"),
        default=Value(""),
        output_field=TextField(),
    )
    annotated: QuerySet[Any] = rows.annotate(
        present_text=Coalesce(
            Subquery(latest.order_by("-pk").values(text=text)[:1]),
            Value(notification.content),
            output_field=TextField(),
        )
    )
    return annotated


def preview(
    notification: Notification, channel: str, part: Part = WHOLE, text: str = ""
) -> Preview:
    """One query. ``text`` is the new one of a correction."""
    failed = _amendments(channel).filter(status=S.FAILED)
    rows = (
        messages(notification, channel, part, timezone.now(), text)
        .order_by()
        .values_list("left_out")
        .annotate(
            groups=Count("pk"),
            waiting=Count("pk", filter=~Q(status=S.ACCEPTED)),
            live_rooms=Count("pk", filter=Q(group_type__in=sorted(NO_HISTORY_TYPES))),
            oldest=Min("finished_at"),
            failed_before=Count("pk", filter=Exists(failed)),
        )
    )
    counts = {left_out: numbers for left_out, *numbers in rows}
    groups, waiting, live_rooms, oldest, failed_before = counts.pop(
        INCLUDED, (0, 0, 0, None, 0)
    )
    until = oldest and oldest + timedelta(days=settings.IM_HISTORY_DAYS)
    left_out = {one: counts[one][0] for one in LeftOut if one in counts}
    return Preview(groups, waiting, live_rooms, until, left_out, failed_before)


def present_texts(
    notification: Notification, part: Part = WHOLE, text: str = ""
) -> list[tuple[str, int]]:
    """The texts that a correction would replace, with the number of groups, most first.

    The text is empty for groups of which it is not known: a correction of them was not
    confirmed.
    """
    rows = (
        messages(notification, Channel.CORRECTION, part, timezone.now(), text)
        .filter(left_out=INCLUDED)
        .order_by()
        .values_list("present_text")
        .annotate(Count("pk"))
    )
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def left_out_groups(
    notification: Notification, channel: str, part: Part, text: str, most: int
) -> list[tuple[str, LeftOut]]:
    """The names of at most ``most`` groups that are left out, with the reason.

    Without those that never got the message.
    """
    rows = (
        messages(notification, channel, part, timezone.now(), text)
        .exclude(left_out__in=[INCLUDED, LeftOut.NOT_SENT.value])
        .order_by("pk")
        .values_list("group_name", "left_out")
    )
    return [(name, LeftOut(reason)) for name, reason in rows[:most]]
