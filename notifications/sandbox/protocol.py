"""The checks that Tencent documents, with its error codes.

The checks and their limits follow the documents alone and do not use the client's code,
so that the sandbox and the client verify each other. Only the paths are those of
``tencent/calls``; the tests of the client compare them with the documented text.
Sources: the page of the call (269/1630), the overview (269/1519), the list of codes
(269/1671), the description of UserSig (269/1664).
"""

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from notifications.tencent.calls.account_check import AccountCheck
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)

PATH = SendGroupSystemNotification.path()

ALL_MEMBERS_ONLY = ("AVChatRoom", "BChatRoom")

MAX_BODY = 12 * 1024

PARAMETERS = {"sdkappid", "identifier", "usersig", "random", "contenttype"}

GROUP_ID = re.compile(r"[\x21-\x7e]{1,48}")

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Account:
    sdk_app_id: int = 1400000000
    # The sample key printed in Tencent's own READMEs.
    key: str = field(
        default="5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e",
        repr=False,
    )
    identifier: str = "administrator"


@dataclass(frozen=True, slots=True)
class Notice:
    """A valid request to show a notice."""

    group_id: str
    content: str
    recipients: tuple[str, ...]  # empty: all members


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """The answer to a call: a code with its text, unless ``fault`` changes it.

    ``afterwards`` happens when the answer is lost and the time of the fault is over.
    """

    code: int
    text: str = ""
    fault: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    afterwards: Callable[[], None] | None = None


class RequestRefused(Exception):
    """The request is refused with ``code``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def check_address(
    target: str, account: Account, now: float, paths: Collection[str] = (PATH,)
) -> str:
    """Check path and query; return the path. Raises ``RequestRefused``."""
    parts = urlsplit(target)
    if parts.path not in paths:
        raise RequestRefused(60009, "no such resource")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = dict(pairs)
    if "sdkappid" not in query:
        raise RequestRefused(60012, "sdkappid is missing")
    if len(pairs) != len(query) or set(query) != PARAMETERS:
        raise RequestRefused(60002, "the parameters are not the five documented ones")
    number = query["random"]
    is_uint32 = number.isascii() and number.isdigit() and int(number) < 2**32
    if query["contenttype"] != "json" or not is_uint32:
        raise RequestRefused(60002, "contenttype or random is wrong")
    if query["sdkappid"] != str(account.sdk_app_id):
        raise RequestRefused(70020, "sdkappid is not known here")
    if query["identifier"] != account.identifier:
        raise RequestRefused(60010, "identifier is no App administrator")
    check_user_sig(query["usersig"], account, now)
    return parts.path


def check_user_sig(user_sig: str, account: Account, now: float) -> None:
    """Check every field of the signature. Raises ``RequestRefused``."""
    if not user_sig:
        raise RequestRefused(70002, "usersig is empty")
    if now > _valid_until(user_sig, account):
        raise RequestRefused(70001, "usersig is expired")


# Clients use one signature for hours; lru_cache does not cache exceptions.
@lru_cache(maxsize=64)
def _valid_until(user_sig: str, account: Account) -> float:
    """The Unix second at which a valid signature expires. Raises ``RequestRefused``."""
    fields = _fields_of(user_sig)
    if fields.get("TLS.sdkappid") != account.sdk_app_id:
        raise RequestRefused(70014, "usersig is of another sdkappid")
    if fields.get("TLS.identifier") != account.identifier:
        raise RequestRefused(70013, "usersig is of another identifier")
    signed = "".join(
        f"TLS.{name}:{fields.get('TLS.' + name)}\n"
        for name in ("identifier", "sdkappid", "time", "expire")
    )
    digest = hmac.new(account.key.encode(), signed.encode(), hashlib.sha256).digest()
    if base64.b64encode(digest).decode() != fields.get("TLS.sig"):
        raise RequestRefused(70009, "usersig does not match the key")
    return float(fields["TLS.time"] + fields["TLS.expire"])


def _fields_of(user_sig: str) -> Mapping[str, Any]:
    letters = user_sig.replace("*", "+").replace("-", "/").replace("_", "=")
    try:
        fields = json.loads(zlib.decompress(base64.b64decode(letters, validate=True)))
    except (ValueError, zlib.error):
        raise RequestRefused(70003, "usersig cannot be decoded") from None
    if not isinstance(fields, dict):
        raise RequestRefused(70003, "usersig cannot be decoded")
    return fields


def json_object(body: bytes, refusal: int = 60003) -> dict[str, Any]:
    """The object in a body; ``refusal`` is the code for another JSON value.

    Raises ``RequestRefused``.
    """
    try:
        fields = json.loads(body)
    except ValueError:
        raise RequestRefused(60003, "the body is no JSON") from None
    if not isinstance(fields, dict):
        raise RequestRefused(refusal, "the body is no JSON object")
    return fields


def read_body(body: bytes) -> Notice:
    """The notice in a body. Raises ``RequestRefused``."""
    fields = json_object(body)
    group_id, content = fields.get("GroupId"), fields.get("Content")
    members = fields.get("ToMembers_Account", [])
    if not isinstance(group_id, str) or not isinstance(content, str) or not content:
        raise RequestRefused(10004, "GroupId and Content must be text")
    if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
        raise RequestRefused(60015, "ToMembers_Account must be a list of text")
    if not GROUP_ID.fullmatch(group_id):
        raise RequestRefused(10015, "GroupId has a wrong form")
    if len(content.encode()) > MAX_BODY:
        raise RequestRefused(80002, "Content is too long")
    if len(members) > 500:
        raise RequestRefused(10005, "more than 500 accounts")
    return Notice(group_id, content, tuple(members))


def check_group(notice: Notice, group_type: str | None) -> None:
    """Check that the group exists and its type allows the recipients.

    Raises ``RequestRefused``.
    """
    if group_type is None:
        raise RequestRefused(10010, "group does not exist")
    if notice.recipients and group_type in ALL_MEMBERS_ONLY:
        raise RequestRefused(10004, f"{group_type} takes no ToMembers_Account")


def answer(code: int, text: str = "", fields: Mapping[str, Any] = NOTHING) -> bytes:
    """The JSON of an answer; ``fields`` are added to the three common fields."""
    status = "FAIL" if code else "OK"
    head = {"ActionStatus": status, "ErrorInfo": text, "ErrorCode": code}
    return json.dumps(head | dict(fields)).encode()


ACCOUNT_CHECK_PATH = AccountCheck.path()

MAX_ACCOUNTS = 100


def check_accounts(body: bytes, known: Collection[str]) -> dict[str, Any]:
    """The fields of the answer that only this call has. Raises ``RequestRefused``."""
    items = json_object(body, 70402).get("CheckItem")
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise RequestRefused(70402, "CheckItem must be a list of objects")
    accounts = [item.get("UserID") for item in items]
    if not all(isinstance(account, str) and account for account in accounts):
        raise RequestRefused(70402, "UserID must be text")
    if not 1 <= len(accounts) <= MAX_ACCOUNTS:
        raise RequestRefused(70206, f"CheckItem has 1 to {MAX_ACCOUNTS} accounts")
    results = [
        {
            "UserID": account,
            "ResultCode": 0,
            "ResultInfo": "",
            "AccountStatus": "Imported" if account in known else "NotImported",
        }
        for account in accounts
    ]
    return {"ResultItem": results}
