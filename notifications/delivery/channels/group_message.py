"""The group message: kept by Tencent, which can be asked about it afterwards."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.delivery.channels.base import Channel, Message, Result, Target
from notifications.models import Channel as ChannelWord
from notifications.models import DeliveryQuery
from notifications.tencent import message_options
from notifications.tencent.calls.send_group_msg import Receipt, SendGroupMsg
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import Outcome, OutcomeKind


class GroupMessage(Channel):
    word = ChannelWord.GROUP_MESSAGE
    sending_call = SendGroupMsg
    description = _(
        "A message in the chat. Tencent keeps it: members who are offline see it later, "
        "and it can be looked up. A live room keeps no messages."
    )
    accepted = _(
        "Tencent accepted the message. Members who were offline can see it later, except "
        "in a live room, and unless it was for members who were online only."
    )
    shown_as = _("Message in the chat")
    refused_by_type = message_options.REFUSED_BY_TYPE
    capability = "group_message"
    members_capability = "named_members"
    max_recipients = message_options.MAX_RECIPIENTS
    max_content_bytes = message_options.MAX_MESSAGE_BYTES
    has_options = True
    draws_random = True
    settles_uncertain_codes = True

    def why_not_amendable(self, options: MessageOptions) -> Promise | str:
        if options.online_only:
            return _(
                "A message for members who were online only cannot be taken back or "
                "corrected: Tencent does not store it."
            )
        return ""

    def reaches_offline(self, options: MessageOptions) -> bool:
        return not options.online_only

    def recipients_per_call(self) -> int:
        return message_options.MAX_RECIPIENTS

    def call(self, message: Message, target: Target) -> SendGroupMsg:
        """Raises ``ValueError`` for a delivery without a number."""
        if target.random is None:
            raise ValueError(f"The message for {target.group_id} has no Random.")
        return SendGroupMsg(
            target.group_id,
            target.group_type,
            message.content,
            message.options,
            target.random,
            target.recipients,
        )

    def classify(self, outcome: Outcome, data: object) -> Result:
        """ErrorCode 0 with a ``MsgDropReason`` is a refusal."""
        if not isinstance(data, Receipt):
            return Result(outcome)
        if data.drop_reason:
            outcome = replace(outcome, kind=OutcomeKind.REJECTED)
        return Result(outcome, data.msg_seq, data.msg_time, data.drop_reason)

    def query_kind(self, message: Message, target: Target) -> DeliveryQuery.Kind | None:
        """The history has neither messages for online members nor those of live rooms.

        Whether it has messages for named members is not documented: the cautious rule is
        that it has none.
        """
        if message.options.online_only or target.recipients is not None:
            return None
        if target.group_type not in message_options.NO_HISTORY_TYPES:
            return DeliveryQuery.Kind.HISTORY
        return DeliveryQuery.Kind.REPEAT if settings.IM_REPEAT_LIVE_ROOMS else None

    def first_query_at(
        self, message: Message, target: Target, *, ended_at: datetime
    ) -> datetime | None:
        """A repeat follows at once: Tencent drops it only within five minutes."""
        match self.query_kind(message, target):
            case DeliveryQuery.Kind.HISTORY:
                return ended_at + timedelta(seconds=settings.IM_QUERY_AFTER_SECONDS)
            case DeliveryQuery.Kind.REPEAT:
                return ended_at
        return None
