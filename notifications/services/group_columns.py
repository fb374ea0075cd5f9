"""The words that name a column of a file of chat groups, and a type, in any language."""

import re
import unicodedata
from functools import cache, lru_cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from notifications.models import GroupType

REQUIRED = ("group_id", "type", "name")
# Our own names, and what else people, the page and Tencent write for them.
COLUMNS = {
    "group_id": ("group_id", "id", "群ID", "群组ID", "群号"),
    "type": ("type", "group type", "类型", "群类型", "群组类型"),
    "name": ("name", "group name", "group", "名称", "群名称", "群名", "群组名称", "群组"),
    "member_count": (
        "member_count", "members", "member num", "成员数", "成员", "人数", "群人数",
    ),
    "labels": ("labels", "label", "标签", "群标签"),
    "state": ("state", "状态", "群状态"),
    "checked_at": ("checked_at", "last checked", "上次核对", "最近核对"),
}  # fmt: skip
# In the file that we write, for people to read; a file does not change them.
READ_ONLY = ("state", "checked_at")
# As the page calls them.
LABELS = {
    "group_id": _("Group ID"),
    "type": _("Type"),
    "name": _("Name"),
    "member_count": _("Members"),
    "labels": _("Labels"),
}
# Beside Tencent's words and those of the page: newer ones and shorter ones.
TYPES = {
    GroupType.PRIVATE: ("Work", "好友工作群", "工作群"),
    GroupType.PUBLIC: ("陌生人社交群", "公开群"),
    GroupType.CHAT_ROOM: ("Meeting", "临时会议群", "会议群"),
    GroupType.AV_CHAT_ROOM: ("直播群", "音视频聊天室"),
    GroupType.B_CHAT_ROOM: ("全员广播群", "在线成员广播大群"),
    GroupType.COMMUNITY: ("社群",),
}
BRACKETS = re.compile(r"[(（].*?[)）]")


def column_of(heading: str) -> str | None:
    """Our name of the column that a heading means."""
    return _columns().get(plain(heading))


@lru_cache(maxsize=1000)
def type_of(word: str) -> str | None:
    """Tencent's word for a type that a cell means."""
    return _types().get(plain(word))


def plain(text: str) -> str:
    """Without what makes no difference: capitals, spaces, strokes, full width."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", text)).lower()


@cache
def _columns() -> dict[str, str]:
    return {plain(word): name for name, words in COLUMNS.items() for word in words}


@cache
def _types() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            for value, label in GroupType.choices:
                found[plain(str(label))] = value
                found[plain(BRACKETS.sub("", str(label)))] = value
    for group_type, words in TYPES.items():
        found |= {plain(word): group_type.value for word in (group_type.value, *words)}
    return found
