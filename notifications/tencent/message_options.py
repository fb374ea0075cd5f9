"""The options of a group message: their values, and the rules about them.

The rules are data: the form, the services, the constraints of the database and the call
use the same. A rule returns a word; the form has the sentence for it.

Sources: https://cloud.tencent.com/document/product/269/1629 (the call), and
https://github.com/tencentyun/qcloud-documents, in its folder 即时通信: 在群组中发送普通消息
(its fields), 群组消息 (its limits) and 消息格式描述 (its elements).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NoReturn
from urllib.parse import urlsplit

from notifications.tencent.ids import is_user_id

PRIORITIES = ("High", "Normal", "Low")

# The page of the call: "To_Account" has at most 50 members of the group.
MAX_RECIPIENTS = 50

# Everything of a message together. The page of limits (269/9346) has 12K for a message;
# the description of code 80002 has 8000 bytes, the default of IM_CONTENT_MAX_BYTES.
MAX_MESSAGE_BYTES = 12 * 1024

# Of a side of an image. Tencent documents no limit.
MAX_PIXELS = 100_000

# Tencent keeps no history of live rooms: nothing can be looked up there. Documented for
# AVChatRoom (269/2738); BChatRoom is named nowhere, so the cautious rule applies.
NO_HISTORY_TYPES = frozenset({"AVChatRoom", "BChatRoom"})

# Feature → types of groups that refuse it.
REFUSED_BY_TYPE: Mapping[str, frozenset[str]] = {
    # The page of the call lists every type except BChatRoom.
    "message": frozenset({"BChatRoom"}),
    # "To_Account": Private, Public and ChatRoom only.
    "recipients": frozenset({"AVChatRoom", "BChatRoom", "Community"}),
    # "GroupAtInfo": AVChatRoom has no @all.
    "mention_all": frozenset({"AVChatRoom", "BChatRoom"}),
    # "OnlineOnlyFlag": AVChatRoom and BChatRoom refuse it.
    "online_only": frozenset({"AVChatRoom", "BChatRoom"}),
    # "SendMsgControl": not in AVChatRoom. In ChatRoom, "NoUnread" is an error unless
    # the application was configured to count unread messages there.
    "no_unread": frozenset({"AVChatRoom", "BChatRoom", "ChatRoom"}),
    "no_last_message": frozenset({"AVChatRoom", "BChatRoom"}),
}

_LONG_OPTIONS = ("custom_data", "push_text", "push_title", "image_url")


class Conflict(StrEnum):
    """Why the value of an option is refused."""

    INVALID = "invalid"  # not a value of this option
    REQUIRED = "required"  # another option needs it
    # The longest option, if message and options have more than MAX_MESSAGE_BYTES.
    TOO_LONG = "too_long"
    NAMED_MEMBERS = "named_members"  # not in a message to named members
    ONLINE_ONLY = "online_only"  # not in a message to online members only
    PUSH_OFF = "push_off"  # not without the offline push


@dataclass(frozen=True, slots=True)
class MessageOptions:
    """What a group message needs beside the group and the text.

    ``from_account`` is the account that members see as the sender; without one, it is
    the administrator. The size of the image is in pixels. ``custom_data`` is JSON that
    the operator's own app displays.
    """

    # ``repr=False`` keeps what members see out of logs that contain the call.

    from_account: str = ""
    mention_all: bool = False
    priority: str = "Normal"
    online_only: bool = False
    no_unread: bool = False
    no_last_message: bool = False
    push: bool = True
    push_title: str = field(default="", repr=False)
    push_text: str = field(default="", repr=False)
    image_url: str = field(default="", repr=False)
    image_width: int = 0
    image_height: int = 0
    custom_data: str = field(default="", repr=False)

    def as_json(self) -> dict[str, object]:
        """The fields that differ from the default, ordered by name."""
        default = MessageOptions()
        names = sorted(option.name for option in fields(self))
        return {
            name: getattr(self, name)
            for name in names
            if getattr(self, name) != getattr(default, name)
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "MessageOptions":
        """Inverse of ``as_json``. Raises ``ValueError``, which names the field."""
        types = {option.name: type(option.default) for option in fields(cls)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"{name} is not an option of a message.")
            if type(value) is not types[name]:
                raise ValueError(
                    f"The option {name} is of type {types[name].__name__}, not "
                    f"{type(value).__name__}."
                )
        return cls(**values)


def refused_features(
    options: MessageOptions, group_type: str, *, named_members: bool
) -> list[str]:
    """The used features that this type of group refuses."""
    is_used = {
        "message": True,
        "recipients": named_members,
        "mention_all": options.mention_all,
        "online_only": options.online_only,
        "no_unread": options.no_unread,
        "no_last_message": options.no_last_message,
    }
    return [
        feature
        for feature, types in REFUSED_BY_TYPE.items()
        if group_type in types and is_used[feature]
    ]


def conflicts(
    options: MessageOptions, *, named_members: bool, text: str = ""
) -> list[tuple[str, Conflict]]:
    """The options that are refused, each with the reason.

    ``text`` counts towards the limit of size.
    """
    sides = (options.image_width, options.image_height)
    has_size = all(1 <= side <= MAX_PIXELS for side in sides)
    has_any_size = any(sides)
    longest = max(_LONG_OPTIONS, key=lambda name: _bytes(getattr(options, name)))
    # Tencent refuses "SendMsgControl" together with "OnlineOnlyFlag", and never pushes
    # a message to online members only.
    is_refused = {
        ("from_account", Conflict.INVALID): options.from_account
        and not is_user_id(options.from_account),
        ("priority", Conflict.INVALID): options.priority not in PRIORITIES,
        ("mention_all", Conflict.NAMED_MEMBERS): options.mention_all and named_members,
        ("no_unread", Conflict.ONLINE_ONLY): options.no_unread and options.online_only,
        ("no_last_message", Conflict.ONLINE_ONLY): options.no_last_message
        and options.online_only,
        ("push_title", Conflict.ONLINE_ONLY): options.push_title
        and options.online_only,
        ("push_text", Conflict.ONLINE_ONLY): options.push_text and options.online_only,
        ("push_title", Conflict.PUSH_OFF): options.push_title and not options.push,
        ("push_text", Conflict.PUSH_OFF): options.push_text and not options.push,
        ("image_url", Conflict.INVALID): options.image_url
        and not _is_web_address(options.image_url),
        ("image_url", Conflict.REQUIRED): has_any_size and not options.image_url,
        ("image_width", Conflict.REQUIRED): options.image_url and not has_size,
        ("custom_data", Conflict.INVALID): options.custom_data
        and not _is_json(options.custom_data),
        (longest, Conflict.TOO_LONG): getattr(options, longest)
        and message_bytes(text, options) > MAX_MESSAGE_BYTES,
    }
    return [conflict for conflict, refused in is_refused.items() if refused]


def message_bytes(text: str, options: MessageOptions) -> int:
    """The size that MAX_MESSAGE_BYTES limits."""
    texts = (text, *(getattr(options, name) for name in _LONG_OPTIONS))
    return sum(map(_bytes, texts))


def _bytes(text: str) -> int:
    # A half of a surrogate pair is refused elsewhere.
    return len(text.encode("utf-8", "surrogatepass"))


def _is_web_address(url: str) -> bool:
    """An absolute URL with a host. ``urlsplit`` would remove tabs and line ends."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parsed = urlsplit(url)
        _port = parsed.port
    except ValueError:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.hostname)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")
