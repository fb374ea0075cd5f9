"""What the stand-in answers to account_check (269/38417): which accounts there are.

Written from the document alone, like ``protocol.py``.
"""

import json
from collections.abc import Collection
from typing import Any

from .protocol import Refused

PATH = "/v4/im_open_login_svc/account_check"
MOST_ASKED = 100


def fields_of(body: bytes, known: Collection[str]) -> dict[str, Any]:
    """The fields of the answer beside the three that all have. Raises ``Refused``."""
    try:
        asked = json.loads(body)
    except ValueError:
        raise Refused(60003, "the body is no JSON") from None
    items = asked.get("CheckItem") if isinstance(asked, dict) else None
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise Refused(70402, "CheckItem must be a list of objects")
    accounts = [item.get("UserID") for item in items]
    if not all(isinstance(account, str) and account for account in accounts):
        raise Refused(70402, "UserID must be text")
    if not 1 <= len(accounts) <= MOST_ASKED:
        raise Refused(70206, f"CheckItem has 1 to {MOST_ASKED} accounts")
    return {"ResultItem": [_one(account, known) for account in accounts]}


def _one(account: str, known: Collection[str]) -> dict[str, Any]:
    return {
        "UserID": account,
        "ResultCode": 0,
        "ResultInfo": "",
        "AccountStatus": "Imported" if account in known else "NotImported",
    }
