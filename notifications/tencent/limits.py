"""Facts about the API that the whole application stands on.

Source: https://cloud.tencent.com/document/product/269/1630 and the specification of
``send_group_system_notification``.
"""

import re

# "Audio-video chat rooms and broadcasting chat rooms only support pushing
# notifications to all members."
ALL_MEMBERS_ONLY_TYPES = frozenset({"AVChatRoom", "BChatRoom"})


MAX_RECIPIENTS_PER_CALL = 500

# Of the calls that read: https://cloud.tencent.com/document/product/269/1614, 269/1616,
# 269/112002 and 269/38417.
MAX_GROUPS_PER_PAGE = 10_000

MAX_GROUPS_PER_CALL = 50

MAX_MEMBERS_PER_CALL = 50

MAX_ACCOUNTS_PER_CALL = 100

GROUP_ID_MAX_BYTES = 48

USER_ID_MAX_BYTES = 32


_GROUP_ID = re.compile(r"[\x21-\x7e]{1,48}")

_USER_ID = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]{1,32}")  # no comma, no semicolon


class RecipientsNotAllowed(ValueError):
    """Members were named for a group type that takes notices for all members only."""


def is_group_id(text: str) -> bool:
    """1 to 48 printable ASCII characters without spaces, ``@TGS#…`` included."""
    return _GROUP_ID.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """1 to 32 printable ASCII characters without spaces, commas and semicolons."""
    return _USER_ID.fullmatch(text) is not None
