"""The system notification: a notice for the members who are online; it leaves no trace."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.delivery.channels.base import Channel, Message, Result, Target
from notifications.models import Channel as ChannelWord
from notifications.models import DeliveryQuery
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import Outcome


class SystemNotification(Channel):
    word = ChannelWord.SYSTEM_NOTIFICATION
    sending_call = SendGroupSystemNotification
    description = _(
        "Shown to members who are online now. Tencent keeps no trace of it: members who "
        "are offline never see it, and it cannot be looked up or taken back."
    )
    accepted = _(
        "Tencent accepted the notification. Only members who were online could see it."
    )
    shown_as = _("System message")
    refused_by_type: ClassVar = {
        "recipients": SendGroupSystemNotification.ALL_MEMBERS_ONLY_TYPES
    }
    capability = "system_notification"
    max_recipients = SendGroupSystemNotification.MAX_RECIPIENTS
    max_content_bytes = SendGroupSystemNotification.MAX_CONTENT_BYTES

    def why_not_amendable(self, options: MessageOptions) -> Promise | str:
        return _(
            "A system notification cannot be taken back or corrected: Tencent keeps no "
            "trace of it."
        )

    def recipients_per_call(self) -> int:
        """Tencent documents 500 and, since 2025, 50.

        https://www.tencentcloud.com/zh/document/product/1047/34958
        """
        return int(settings.IM_RECIPIENTS_PER_CALL)

    def call(self, message: Message, target: Target) -> SendGroupSystemNotification:
        return SendGroupSystemNotification(
            target.group_id, target.group_type, message.content, target.recipients
        )

    def classify(self, outcome: Outcome, data: object) -> Result:
        return Result(outcome)

    def query_kind(self, message: Message, target: Target) -> DeliveryQuery.Kind | None:
        return None

    def first_query_at(
        self, message: Message, target: Target, *, ended_at: datetime
    ) -> datetime | None:
        return None
