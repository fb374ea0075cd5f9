"""The rules about one delivery that the database enforces."""

from django.db.models import BaseConstraint, CheckConstraint, Q, UniqueConstraint

from notifications.models.channels import AMENDING, Channel
from notifications.models.groups import GroupType
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.message_options import REFUSED_BY_TYPE

# The reasons of an accepted or failed delivery whose answer has no such error code.
ACCEPTED_BY_QUERY = ["in_history", "repeated", "recalled_before"]
FAILED_WITHOUT_CODE = [
    "not_in_history",
    "still_there",
    "gone",
    "not_known",
    "taken_back",
]
VERDICTS = [*ACCEPTED_BY_QUERY, "dropped", *FAILED_WITHOUT_CODE]

_IS_MESSAGE = Q(channel=Channel.GROUP_MESSAGE)
_AMENDS = Q(channel__in=AMENDING)


def _types(feature: str) -> Q:
    """Group types that refuse a feature of a group message."""
    return Q(group_type__in=sorted(REFUSED_BY_TYPE[feature]))


CONSTRAINTS: list[BaseConstraint] = [
    UniqueConstraint(
        fields=["notification", "group_id", "portion"],
        name="delivery_once_per_group_and_portion",
    ),
    CheckConstraint(condition=~Q(group_id=""), name="delivery_has_group"),
    CheckConstraint(condition=~Q(sender_name=""), name="delivery_has_sender"),
    CheckConstraint(condition=Q(portion__gte=1), name="delivery_portion_from_1"),
    CheckConstraint(
        condition=~Q(
            group_type__in=sorted(SendGroupSystemNotification.ALL_MEMBERS_ONLY_TYPES)
        )
        | Q(recipients=""),
        name="delivery_all_members_only",
    ),
    CheckConstraint(
        condition=Q(group_type__in=GroupType.values),
        name="delivery_group_type_known",
    ),
    CheckConstraint(
        condition=Q(
            status__in=[
                "queued",
                "sending",
                "accepted",
                "failed",
                "unconfirmed",
                "cancelled",
            ]
        ),
        name="delivery_status_known",
    ),
    CheckConstraint(
        condition=Q(status__in=["queued", "sending"], finished_at__isnull=True)
        | Q(~Q(status__in=["queued", "sending"]), finished_at__isnull=False),
        name="delivery_ended_has_time",
    ),
    CheckConstraint(
        condition=Q(status="sending", owner__isnull=False)
        | (~Q(status="sending") & Q(owner__isnull=True)),
        name="delivery_sending_has_owner",
    ),
    CheckConstraint(
        condition=~Q(status="sending")
        | Q(claimed_at__isnull=False, attempt_count__gte=1),
        name="delivery_sending_was_claimed",
    ),
    # The answer says so, or the history or a repeat of the call.
    CheckConstraint(
        condition=~Q(status="accepted")
        | Q(reason="", error_code=0, error_code__isnull=False)
        | Q(reason__in=ACCEPTED_BY_QUERY, error_code__isnull=True),
        name="delivery_accepted_has_code_0",
    ),
    CheckConstraint(
        condition=~Q(status="failed")
        | (Q(reason="", error_code__isnull=False) & ~Q(error_code=0))
        | Q(reason="dropped", error_code=0, error_code__isnull=False)
        | Q(reason__in=FAILED_WITHOUT_CODE, error_code__isnull=True),
        name="delivery_failed_has_code",
    ),
    # A delivery that Tencent refused before it was stopped has failed.
    CheckConstraint(
        condition=~Q(status="cancelled") | Q(error_code__isnull=True),
        name="delivery_cancelled_has_no_code",
    ),
    # SQLite builds a list of more than two values anew for each row, which would double
    # the time of an insert: the empty reason is compared first.
    CheckConstraint(
        condition=(Q(status="unconfirmed") & ~Q(reason__in=["", *VERDICTS]))
        | (~Q(status="unconfirmed") & (Q(reason="") | Q(reason__in=VERDICTS))),
        name="delivery_unconfirmed_has_reason",
    ),
    # After a restore it is unknown whether a queued delivery was called. An amendment of
    # a message that the group may not have is never called.
    CheckConstraint(
        condition=~Q(status__in=["accepted", "failed", "unconfirmed"])
        | Q(attempt_count__gte=1)
        | Q(reason__in=["restored", "not_known"]),
        name="delivery_outcome_has_attempt",
    ),
    CheckConstraint(
        condition=Q(channel=Channel.SYSTEM_NOTIFICATION)
        | Q(channel__in=[Channel.GROUP_MESSAGE, *AMENDING]),
        name="delivery_channel_known",
    ),
    CheckConstraint(
        condition=~_IS_MESSAGE | ~_types("message"), name="delivery_message_of_type"
    ),
    CheckConstraint(
        condition=~_IS_MESSAGE | Q(recipients="") | ~_types("recipients"),
        name="delivery_message_recipients",
    ),
    *(
        CheckConstraint(
            condition=Q(**{option: False}) | (_IS_MESSAGE & ~_types(option)),
            name=f"delivery_{option}",
        )
        for option in ("mention_all", "online_only", "no_unread", "no_last_message")
    ),
    # A worker of a release without group messages would make another call.
    CheckConstraint(
        condition=~_IS_MESSAGE | Q(random__isnull=False) | Q(attempt_count=0),
        name="delivery_message_has_random",
    ),
    CheckConstraint(
        condition=Q(random__isnull=True)
        | (_IS_MESSAGE & Q(random__gte=1, random__lt=2**32)),
        name="delivery_random_of_message",
    ),
    UniqueConstraint(
        fields=["random"],
        condition=Q(random__isnull=False),
        name="delivery_random_once",
    ),
    CheckConstraint(
        condition=_IS_MESSAGE
        | (
            Q(msg_time__isnull=True, drop_reason="")
            & (_AMENDS | Q(msg_seq__isnull=True))
        ),
        name="delivery_answer_of_message",
    ),
    CheckConstraint(
        condition=Q(next_query_at__isnull=True)
        | (~Q(channel=Channel.SYSTEM_NOTIFICATION) & Q(status="unconfirmed")),
        name="delivery_query_of_unconfirmed",
    ),
    CheckConstraint(
        condition=Q(is_altered=False) | Q(reason="in_history"),
        name="delivery_altered_in_history",
    ),
    CheckConstraint(
        condition=(~_AMENDS & Q(amended_delivery__isnull=True))
        | (_AMENDS & Q(amended_delivery__isnull=False, recipients="")),
        name="delivery_amends_another",
    ),
    # A worker of a release without recalls would send their reason as a notification.
    CheckConstraint(
        condition=~_AMENDS | Q(msg_seq__isnull=False) | Q(attempt_count=0),
        name="delivery_amendment_has_message",
    ),
    # A message is taken back once, also by two people at the same moment. A query may
    # still show that an unconfirmed recall was made.
    UniqueConstraint(
        fields=["amended_delivery", "channel"],
        condition=Q(channel=Channel.RECALL)
        & (
            Q(status__in=["queued", "sending", "accepted"])
            | Q(next_query_at__isnull=False)
        ),
        name="delivery_recalled_once",
    ),
    UniqueConstraint(
        fields=["amended_delivery", "channel"],
        condition=Q(channel=Channel.CORRECTION, status__in=["queued", "sending"]),
        name="delivery_corrected_one_at_a_time",
    ),
]
