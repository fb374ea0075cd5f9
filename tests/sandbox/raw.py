"""Calls of the sandbox without the client, which verifies itself against the sandbox."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from notifications.sandbox.server import PATH_OF, SandboxServer
from notifications.tencent.user_sig import make_user_sig

TEXT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "Hi 你好"}}

CUSTOM = {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "{}", "Desc": "A quiz"}}
IMAGE = {
    "MsgType": "TIMImageElem",
    "MsgContent": {
        "UUID": "1",
        "ImageFormat": 1,
        "ImageInfoArray": [
            {
                "Type": 1,
                "Size": 9,
                "Width": 3,
                "Height": 3,
                "URL": "https://a.example/1",
            }
        ],
    },
}


def ask(server: SandboxServer, command: str, **fields: Any) -> dict[str, Any]:
    """Make a call and return the answer; ``OSError`` if the connection breaks."""
    account = server.account
    user_sig = make_user_sig(
        account.sdk_app_id,
        account.key,
        account.identifier,
        now=int(time.time()),
        valid_for=600,
    )
    query = urlencode(
        {
            "sdkappid": account.sdk_app_id,
            "identifier": account.identifier,
            "usersig": user_sig,
            "random": 1,
            "contenttype": "json",
        }
    )
    request = urllib.request.Request(  # noqa: S310  our own address
        f"{server.url}{PATH_OF[command]}?{query}", json.dumps(fields).encode()
    )
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310
        return json.load(reply)


def send_message(server: SandboxServer, group_id: str = "g", **fields: Any):
    """Send a message of text; ``fields`` are added to it, or replace its fields."""
    message = {"GroupId": group_id, "Random": 1, "MsgBody": [TEXT]} | fields
    return ask(server, "send_group_msg", **message)


def history(server, **fields):
    return ask(
        server, "group_msg_get_simple", **{"GroupId": "g", "ReqMsgNumber": 20} | fields
    )


def numbers(answer):
    return [row["MsgSeq"] for row in answer["RspMsgList"]]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fail after 20 seconds."""
    for _n in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("It did not happen.")


def text_element(text: str) -> dict[str, Any]:
    return {"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}
