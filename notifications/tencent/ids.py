"""The formats of group IDs and user IDs."""

import re

_GROUP_ID = re.compile(r"[\x21-\x7e]{1,48}")

_USER_ID = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]{1,32}")  # no comma, no semicolon


def is_group_id(text: str) -> bool:
    """1 to 48 printable ASCII characters without spaces, ``@TGS#…`` included."""
    return _GROUP_ID.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """1 to 32 printable ASCII characters without spaces, commas and semicolons."""
    return _USER_ID.fullmatch(text) is not None
