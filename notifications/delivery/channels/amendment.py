"""Recall and correction: the calls that change a message which another one sent.

The history of a group shows whether a change was made. A live room has no history.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from notifications.delivery.channels.base import (
    Change,
    Channel,
    Message,
    Result,
    State,
    Target,
)
from notifications.models import Channel as ChannelWord
from notifications.models import DeliveryQuery
from notifications.tencent import message_options
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.group_msg_get_simple import (
    HistoryMessage,
    Place,
    texts_of,
)
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.calls.modify_group_msg import ModifyGroupMsg
from notifications.tencent.outcomes import Outcome, OutcomeKind

# RetCodes of a message that is not there as it was: it may have been taken back before.
NO_SUCH_MESSAGE = 10030
CANNOT_BE_RECALLED = 10032
MAY_BE_RECALLED = (NO_SUCH_MESSAGE, CANNOT_BE_RECALLED)

# ErrorCode of a correction whose message is not there.
CANNOT_BE_CORRECTED = 20001


class Amendment(Channel):
    """The common part; ``Target.msg_seq`` is the message that is changed."""

    capability = ""
    max_recipients = 0
    settles_uncertain_codes = True
    is_amendment = True

    def recipients_per_call(self) -> int:
        return 1

    def query_kind(self, message: Message, target: Target) -> DeliveryQuery.Kind | None:
        if target.group_type in message_options.NO_HISTORY_TYPES:
            return None
        return DeliveryQuery.Kind.STATE

    def first_query_at(
        self, message: Message, target: Target, *, ended_at: datetime
    ) -> datetime | None:
        if self.query_kind(message, target) is None:
            return None
        return ended_at + timedelta(seconds=settings.IM_QUERY_AFTER_SECONDS)


class Recall(Amendment):
    """Takes a message back; the content of the notification is the reason."""

    word = ChannelWord.RECALL
    sending_call = GroupMsgRecall
    description = _("Takes a message back: it disappears from the chat.")
    accepted = _(
        "Tencent took the message back. In a live room it disappears for the members who "
        "were online only."
    )
    shown_as = _("Reason")
    refused_by_type: ClassVar[Mapping[str, frozenset[str]]] = {}
    max_content_bytes = GroupMsgRecall.MAX_REASON_BYTES
    # A person who stops all sending because of a mistake can still take it back.
    obeys_switch = False

    def call(self, message: Message, target: Target) -> Call[Any]:
        return GroupMsgRecall(target.group_id, [_msg_seq(target)], message.content)

    def classify(self, outcome: Outcome, data: object) -> Result:
        """The verdict is the RetCode of the message, never the ErrorCode 0 of the call."""
        if not isinstance(data, Mapping):
            return Result(outcome)
        (code,) = data.values()
        if code == 0:
            return Result(outcome)
        refused = replace(outcome, kind=OutcomeKind.REJECTED, error_code=code)
        return Result(refused, needs_query=code in MAY_BE_RECALLED)

    def state(self, change: Change, message: HistoryMessage) -> State:
        if message.place is not Place.RECALLED:
            return State.AS_BEFORE
        was_refused = change.error_code in MAY_BE_RECALLED
        return State.CHANGED_BEFORE if was_refused else State.CHANGED


class Correction(Amendment):
    """Replaces the text of a message; its image and custom element stay."""

    word = ChannelWord.CORRECTION
    sending_call = ModifyGroupMsg
    description = _("Replaces the text of a message in the chat.")
    accepted = _("Tencent replaced the text of the message.")
    shown_as = _("New text")
    refused_by_type: ClassVar = {"message": message_options.NO_HISTORY_TYPES}
    max_content_bytes = message_options.MAX_MESSAGE_BYTES

    def call(self, message: Message, target: Target) -> Call[Any]:
        return ModifyGroupMsg(
            target.group_id,
            target.group_type,
            _msg_seq(target),
            message.content,
            message.options,
        )

    def classify(self, outcome: Outcome, data: object) -> Result:
        needs_query = (
            outcome.kind is OutcomeKind.REJECTED
            and outcome.error_code == CANNOT_BE_CORRECTED
        )
        return Result(outcome, needs_query=needs_query)

    def state(self, change: Change, message: HistoryMessage) -> State:
        """A text of neither side is no verdict: an application may alter what it stores."""
        if message.place is Place.RECALLED:
            return State.TAKEN_BACK
        texts = texts_of(message.body)
        if texts == [change.text]:
            return State.CHANGED
        is_former = any(texts == [text] for text in change.former_texts)
        return State.AS_BEFORE if is_former else State.OTHER


def _msg_seq(target: Target) -> int:
    if target.msg_seq is None:
        raise ValueError(f"The message in {target.group_id} has no MsgSeq.")
    return target.msg_seq
