"""Send a message to a group.

Sources: https://cloud.tencent.com/document/product/269/1629, and for ``MsgBody`` and
``OfflinePushInfo`` https://cloud.tencent.com/document/product/269/2720.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from notifications.tencent.calls.base import (
    UINT32,
    Call,
    OtherShape,
    RecipientsNotAllowed,
    check_count,
    integer_in,
)
from notifications.tencent.message_options import (
    MAX_MESSAGE_BYTES,
    MAX_RECIPIENTS,
    MessageOptions,
    conflicts,
    message_bytes,
    refused_features,
)
from notifications.tencent.responses import Fields, storable

# The kinds of an image: original, large and thumbnail. Apps display any of them.
_IMAGE_TYPES = (1, 2, 3)
_OTHER_FORMAT = 255


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Tencent returns for a message; the group ID and ``msg_seq`` identify it.

    Tencent dropped a message with a ``drop_reason``, although the ErrorCode is 0: no
    member sees it, and the history does not have it. ``msg_time`` is in Unix seconds.
    """

    msg_seq: int | None
    msg_time: int | None
    drop_reason: str = ""


@dataclass(frozen=True, slots=True)
class SendGroupMsg(Call[Receipt]):
    """``recipients=None`` sends to all members.

    Tencent drops a message if ``random`` and content are those of another one of the
    last five minutes. A delivery has one ``random`` for ever, and its payload is the
    same in each attempt, so that a repeat cannot show the message twice.
    """

    COMMAND = "send_group_msg"
    MAX_ANSWER = 64 * 1024

    group_id: str
    group_type: str
    content: str = field(repr=False)
    options: MessageOptions
    random: int
    recipients: Sequence[str] | None = field(repr=False)

    def check(self) -> None:
        named_members = self.recipients is not None
        refused = refused_features(
            self.options, self.group_type, named_members=named_members
        )
        if refused:
            error = RecipientsNotAllowed if "recipients" in refused else ValueError
            raise error(
                f"{self.group_id} is of type {self.group_type}, which refuses: "
                f"{', '.join(refused)}."
            )
        refused_options = [
            f"{option} ({conflict})"
            for option, conflict in conflicts(
                self.options, named_members=named_members, text=self.content
            )
        ]
        if refused_options:
            raise ValueError(f"Options are refused: {', '.join(refused_options)}.")
        if self.recipients is not None:
            check_count(self.recipients, MAX_RECIPIENTS)
        size = message_bytes(self.content, self.options)
        if not self.content or size > MAX_MESSAGE_BYTES:
            raise ValueError(
                f"{size} bytes for {self.group_id}; a message takes 1 to "
                f"{MAX_MESSAGE_BYTES}."
            )
        if self.random not in UINT32:
            raise ValueError("The random number of a message has 32 bits.")

    def payload(self) -> dict[str, object]:
        options = self.options
        controls = {
            "NoUnread": options.no_unread,
            "NoLastMsg": options.no_last_message,
        }
        optional: dict[str, object] = {
            "From_Account": options.from_account,
            "To_Account": list(self.recipients or ()),
            "OnlineOnlyFlag": int(options.online_only),
            "SendMsgControl": [name for name, is_set in controls.items() if is_set],
            "GroupAtInfo": [{"GroupAtAllFlag": 1}] if options.mention_all else [],
            "OfflinePushInfo": self._push(),
        }
        return {
            "GroupId": self.group_id,
            "Random": self.random,
            "MsgPriority": options.priority,
            **{name: value for name, value in optional.items() if value},
            "MsgBody": message_elements(self.content, self.options),
        }

    def parse(self, fields: Fields) -> Receipt:
        reason = fields.get("MsgDropReason")
        if reason is not None and not isinstance(reason, str):
            raise OtherShape("MsgDropReason")
        return Receipt(
            _optional(fields, "MsgSeq"),
            _optional(fields, "MsgTime"),
            storable(reason or ""),
        )

    def _push(self) -> dict[str, object]:
        """``OfflinePushInfo``; empty for the default, a push with the text."""
        options = self.options
        if not options.push:
            return {"PushFlag": 1}  # 1 switches the push off
        texts = {"Title": options.push_title, "Desc": options.push_text}
        used: dict[str, object] = {name: text for name, text in texts.items() if text}
        return {"PushFlag": 0} | used if used else {}


def message_elements(content: str, options: MessageOptions) -> list[dict[str, object]]:
    """``MsgBody``: the text, the image and the custom element.

    The custom element has no ``Desc``: it would follow the text in the push.
    """
    elements = [_element("Text", Text=content)]
    url = options.image_url
    if url:
        images = [
            {
                "Type": image_type,
                "Size": 0,
                "Width": options.image_width,
                "Height": options.image_height,
                "URL": url,
            }
            for image_type in _IMAGE_TYPES
        ]
        # A unique text for each image; apps use it as the key of their cache.
        uuid = hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()
        elements.append(
            _element(
                "Image",
                UUID=uuid,
                ImageFormat=_OTHER_FORMAT,
                ImageInfoArray=images,
            )
        )
    if options.custom_data:
        elements.append(_element("Custom", Data=options.custom_data))
    return elements


def _element(name: str, **content: Any) -> dict[str, object]:
    return {"MsgType": f"TIM{name}Elem", "MsgContent": content}


def _optional(fields: Fields, name: str) -> int | None:
    return None if fields.get(name) is None else integer_in(fields, name, UINT32)
