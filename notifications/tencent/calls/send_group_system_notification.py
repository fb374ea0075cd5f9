"""Show a notice to members of a group.

Source: https://cloud.tencent.com/document/product/269/1630.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from notifications.tencent.calls.base import Call, RecipientsNotAllowed
from notifications.tencent.responses import Fields


@dataclass(frozen=True, slots=True)
class SendGroupSystemNotification(Call[None]):
    """``recipients=None`` sends to all members.

    Tencent interprets an empty list as all members, so ``check`` refuses one. It raises
    ``RecipientsNotAllowed`` for recipients in a group type that does not support them.
    """

    COMMAND = "send_group_system_notification"
    MAX_ANSWER = 64 * 1024
    MAX_RECIPIENTS = 500
    # Tencent documents no limit for this call; this is the one of code 80002, for
    # messages.
    MAX_CONTENT_BYTES = 12 * 1024

    # "Audio-video chat rooms and broadcasting chat rooms only support pushing
    # notifications to all members."
    ALL_MEMBERS_ONLY_TYPES = frozenset({"AVChatRoom", "BChatRoom"})

    group_id: str
    group_type: str
    # ``repr=False`` keeps both out of logs that contain the call.
    content: str = field(repr=False)
    recipients: Sequence[str] | None = field(repr=False)

    def check(self) -> None:
        if self.recipients is None:
            return
        if self.group_type in self.ALL_MEMBERS_ONLY_TYPES:
            raise RecipientsNotAllowed(
                f"{self.group_id} is of type {self.group_type}, which takes notices for "
                f"all members only; {len(self.recipients)} members were named."
            )
        if not 1 <= len(self.recipients) <= self.MAX_RECIPIENTS:
            raise ValueError(
                f"{len(self.recipients)} recipients for {self.group_id}; a call takes 1 "
                f"to {self.MAX_RECIPIENTS}."
            )

    def payload(self) -> dict[str, object]:
        payload: dict[str, object] = {
            "GroupId": self.group_id,
            "Content": self.content,
        }
        if self.recipients is not None:
            payload["ToMembers_Account"] = list(self.recipients)
        return payload

    def parse(self, fields: Fields) -> None:
        """The response holds only the verdict."""
