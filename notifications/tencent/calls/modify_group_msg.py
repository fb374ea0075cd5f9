"""Replace the text of a message that was sent: members see the new one in its place.

Tencent documents no new push and no new unread message.
Source: https://cloud.tencent.com/document/product/269/74741.
"""

from dataclasses import dataclass, field

from notifications.tencent.calls.base import UINT32, Call
from notifications.tencent.calls.send_group_msg import message_elements
from notifications.tencent.message_options import (
    MAX_MESSAGE_BYTES,
    MessageOptions,
    message_bytes,
)
from notifications.tencent.responses import Fields


@dataclass(frozen=True, slots=True)
class ModifyGroupMsg(Call[None]):
    """``options`` are those with which the message was sent.

    ``MsgBody`` replaces the whole body, so the image and the custom element are sent
    again. Tencent does not change the other options.
    """

    SERVICE = "openim"
    COMMAND = "modify_group_msg"
    MAX_ANSWER = 64 * 1024

    # The page of the call excludes AVChatRoom. BChatRoom takes no messages at all.
    REFUSED_TYPES = frozenset({"AVChatRoom", "BChatRoom"})

    group_id: str
    group_type: str
    msg_seq: int
    # ``repr=False`` keeps the text out of logs that contain the call.
    content: str = field(repr=False)
    options: MessageOptions

    def check(self) -> None:
        if self.group_type in self.REFUSED_TYPES:
            raise ValueError(
                f"{self.group_id} is of type {self.group_type}, which takes no "
                f"corrections."
            )
        if self.msg_seq not in UINT32[1:]:
            raise ValueError("The number of a message is from 1 to 4294967295.")
        size = message_bytes(self.content, self.options)
        if not self.content or size > MAX_MESSAGE_BYTES:
            raise ValueError(
                f"{size} bytes for {self.group_id}; a message takes 1 to "
                f"{MAX_MESSAGE_BYTES}."
            )

    def payload(self) -> dict[str, object]:
        return {
            "GroupId": self.group_id,
            "MsgSeq": self.msg_seq,
            "MsgBody": message_elements(self.content, self.options),
        }

    def parse(self, fields: Fields) -> None:
        """The response holds only the verdict."""
