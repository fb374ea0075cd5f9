"""Showing a notice to members of a group.

Source: https://cloud.tencent.com/document/product/269/1630.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from notifications.tencent.calls.base import Call
from notifications.tencent.responses import Fields


class RecipientsNotAllowed(ValueError):
    """Members were named for a group type that takes notices for all members only."""


@dataclass(frozen=True, slots=True)
class SendGroupSystemNotification(Call[None]):
    """``recipients=None`` means all members.

    Tencent reads an empty list as everybody, so ``check`` refuses an empty list. Types
    that take all-member notices only, with recipients: ``RecipientsNotAllowed``.
    """

    COMMAND = "send_group_system_notification"
    MAX_ANSWER = 64 * 1024
    MAX_RECIPIENTS = 500
    # No page names a limit for this call: that of code 80002, for messages.
    MAX_CONTENT_BYTES = 12 * 1024

    # "Audio-video chat rooms and broadcasting chat rooms only support pushing
    # notifications to all members."
    ALL_MEMBERS_ONLY_TYPES = frozenset({"AVChatRoom", "BChatRoom"})

    group_id: str
    group_type: str
    # Neither is written to a log, where a call may be named.
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
        """The verdict is all that comes back."""
