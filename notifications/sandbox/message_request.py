"""The documented form of an ordinary group message, with the codes of its refusals.

Source: the page of send_group_msg (269/1629) and that of the message format (269/2720).
Tencent ignores unknown fields; the sandbox refuses them, to find misspelled ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notifications.sandbox.protocol import (
    GROUP_ID,
    MAX_BODY,
    RequestRefused,
    json_object,
)

Element = Mapping[str, Any]

ELEMENTS = {
    "TIMTextElem",
    "TIMFaceElem",
    "TIMLocationElem",
    "TIMCustomElem",
    "TIMSoundElem",
    "TIMImageElem",
    "TIMFileElem",
    "TIMVideoFileElem",
}

IMAGE_FORMATS = {1, 2, 3, 4, 255}

CUSTOM_FIELDS = {"Data", "Desc", "Ext", "Sound"}

MAX_MEMBERS = 50

MAX_MENTIONS = 30

# MsgPriority as the history shows it.
PRIORITIES = {"High": 1, "Normal": 2, "Low": 3}


@dataclass(frozen=True, slots=True)
class Message:
    """A valid request to send a message; ``from_account`` is empty if it was left out."""

    group_id: str
    random: int
    body: Sequence[Element]
    from_account: str = ""
    priority: str = "Normal"
    online_only: bool = False
    controls: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()  # empty: all members
    mentions: tuple[str, ...] = ()  # accounts; MENTION_ALL for everyone
    push: Mapping[str, Any] | None = None
    custom_data: str = ""
    forbids_callback: bool = False
    wants_receipts: bool = False
    topic_id: str = ""

    @property
    def mentions_all(self) -> bool:
        return MENTION_ALL in self.mentions


MENTION_ALL = "*"


def is_flag(value: object) -> bool:
    return type(value) is int and value in (0, 1)


def is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list_of(known: set[str]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list)
        and all(isinstance(v, str) and v in known for v in value)
    )


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and v for v in value)


def is_uint32(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**32


PUSH_FIELDS: dict[str, Callable[[object], bool]] = {
    "PushFlag": is_flag,
    "Title": is_text,
    "Desc": is_text,
    "Ext": is_text,
    "AndroidInfo": lambda value: isinstance(value, dict),
    "ApnsInfo": lambda value: isinstance(value, dict),
}


def _is_push(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in PUSH_FIELDS and PUSH_FIELDS[name](one) for name, one in value.items()
    )


FIELDS: dict[str, Callable[[object], bool]] = {
    "GroupId": is_text,
    "Random": is_uint32,
    "MsgBody": lambda value: isinstance(value, list) and bool(value),
    "From_Account": lambda value: isinstance(value, str) and bool(value),
    "MsgPriority": lambda value: isinstance(value, str) and value in PRIORITIES,
    "OnlineOnlyFlag": is_flag,
    "SendMsgControl": _is_list_of({"NoUnread", "NoLastMsg"}),
    "To_Account": _is_list_of_text,
    "GroupAtInfo": lambda value: isinstance(value, list),
    "OfflinePushInfo": _is_push,
    "CloudCustomData": is_text,
    "SupportMessageExtension": is_flag,
    "ForbidCallbackControl": _is_list_of(
        {"ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"}
    ),
    "TopicId": is_text,
    "NeedReadReceipt": is_flag,
}


def check_fields(
    fields: Mapping[str, Any],
    checks: Mapping[str, Callable[[object], bool]],
    required: Sequence[str],
) -> None:
    """Raise ``RequestRefused`` for a missing, unknown or malformed field."""
    for name in required:
        if name not in fields:
            raise RequestRefused(10004, f"{name} is missing")
    for name, value in fields.items():
        if name not in checks:
            raise RequestRefused(10004, f"{name} is no field of this call")
        if not checks[name](value):
            raise RequestRefused(10004, f"{name} has a wrong form")


def read_message(body: bytes) -> Message:
    """The message in a body. Raises ``RequestRefused``."""
    fields = json_object(body)
    check_fields(fields, FIELDS, ("GroupId", "Random", "MsgBody"))
    if not GROUP_ID.fullmatch(fields["GroupId"]):
        raise RequestRefused(10015, "GroupId has a wrong form")
    recipients = tuple(fields.get("To_Account", ()))
    if len(recipients) > MAX_MEMBERS:
        raise RequestRefused(10004, f"To_Account has more than {MAX_MEMBERS} accounts")
    controls = tuple(fields.get("SendMsgControl", ()))
    online_only = fields.get("OnlineOnlyFlag") == 1
    if controls and online_only:
        raise RequestRefused(10004, "SendMsgControl does not go with OnlineOnlyFlag")
    mentions = _read_mentions(fields.get("GroupAtInfo", []))
    if mentions and recipients:
        raise RequestRefused(10004, "GroupAtInfo does not go with To_Account")
    forbidden = fields.get("ForbidCallbackControl", ())
    return Message(
        fields["GroupId"],
        fields["Random"],
        read_elements(fields["MsgBody"]),
        fields.get("From_Account", ""),
        fields.get("MsgPriority", "Normal"),
        online_only,
        controls,
        recipients,
        mentions,
        fields.get("OfflinePushInfo"),
        fields.get("CloudCustomData", ""),
        "ForbidBeforeSendMsgCallback" in forbidden,
        fields.get("NeedReadReceipt") == 1,
        fields.get("TopicId", ""),
    )


def _read_mentions(items: list[Any]) -> tuple[str, ...]:
    if len(items) > MAX_MENTIONS:
        raise RequestRefused(10053, f"more than {MAX_MENTIONS} accounts are mentioned")
    mentions = []
    for item in items:
        if item == {"GroupAtAllFlag": 1}:
            mentions.append(MENTION_ALL)
            continue
        account = item.get("GroupAt_Account") if isinstance(item, dict) else None
        expected = {"GroupAtAllFlag": 0, "GroupAt_Account": account}
        if not isinstance(account, str) or not account or item != expected:
            raise RequestRefused(10004, "GroupAtInfo has a wrong form")
        mentions.append(account)
    return tuple(mentions)


def read_elements(items: Sequence[Any]) -> Sequence[Element]:
    """The elements of MsgBody. Raises ``RequestRefused``."""
    for item in items:
        if not isinstance(item, dict) or item.keys() != {"MsgType", "MsgContent"}:
            raise RequestRefused(10004, "an element has MsgType and MsgContent")
        kind, content = item["MsgType"], item["MsgContent"]
        if not isinstance(kind, str) or kind not in ELEMENTS:
            raise RequestRefused(10004, "MsgType is none of the documented ones")
        if not isinstance(content, dict) or not CONTENTS.get(kind, bool)(content):
            raise RequestRefused(10004, f"MsgContent of {kind} has a wrong form")
    if sum(item["MsgType"] == "TIMCustomElem" for item in items) > 1:
        raise RequestRefused(10004, "more than one TIMCustomElem")
    if sum(_size(item["MsgContent"]) for item in items) > MAX_BODY:
        raise RequestRefused(80002, "MsgBody is too long")
    return items


def _size(content: Element) -> int:
    """The bytes of the texts. What exactly Tencent counts is not documented."""
    return sum(len(v.encode()) for v in content.values() if isinstance(v, str))


def _is_text_content(content: Element) -> bool:
    text = content.get("Text")
    return content.keys() == {"Text"} and isinstance(text, str) and bool(text)


def _is_custom_content(content: Element) -> bool:
    return (
        bool(content)
        and content.keys() <= CUSTOM_FIELDS
        and all(isinstance(value, str) for value in content.values())
    )


def _is_image_content(content: Element) -> bool:
    images = content.get("ImageInfoArray")
    image_format = content.get("ImageFormat")
    return (
        content.keys() == {"UUID", "ImageFormat", "ImageInfoArray"}
        and isinstance(content["UUID"], str)
        and bool(content["UUID"])
        and type(image_format) is int
        and image_format in IMAGE_FORMATS
        and isinstance(images, list)
        and bool(images)
        and all(isinstance(image, dict) and _is_image(image) for image in images)
    )


def _is_image(image: Element) -> bool:
    """By REST, URL, Width and Height must be there."""
    url = image.get("URL")
    return (
        {"Type", "Width", "Height", "URL"}
        <= image.keys()
        <= {"Type", "Size", "Width", "Height", "URL"}
        and isinstance(url, str)
        and url.startswith(("http://", "https://"))
        and image["Type"] in (1, 2, 3)
        and all(type(n) is int and n >= 0 for name, n in image.items() if name != "URL")
    )


# The elements that the sandbox looks into; any content does for the others.
CONTENTS: dict[str, Callable[[Element], bool]] = {
    "TIMTextElem": _is_text_content,
    "TIMCustomElem": _is_custom_content,
    "TIMImageElem": _is_image_content,
}
