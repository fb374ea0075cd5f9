"""Check which accounts exist in the application.

The call has no side effects, and Tencent refuses it like every other call if the
application, its key or its administrator is wrong.
Source: https://cloud.tencent.com/document/product/269/38417.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.tencent.calls.base import (
    Call,
    OtherShape,
    check_count,
    id_in,
    rows_in,
)
from notifications.tencent.responses import Fields


@dataclass(frozen=True, slots=True)
class AccountCheck(Call[frozenset[str]]):
    SERVICE = "im_open_login_svc"
    COMMAND = "account_check"
    MAX_ANSWER = 64 * 1024
    MAX_ACCOUNTS = 100

    accounts: Sequence[str]

    def check(self) -> None:
        check_count(self.accounts, self.MAX_ACCOUNTS)

    def payload(self) -> dict[str, object]:
        return {"CheckItem": [{"UserID": account} for account in self.accounts]}

    def parse(self, fields: Fields) -> frozenset[str]:
        """The accounts that exist."""
        rows = rows_in(fields, "ResultItem")
        imported = [row for row in rows if row.get("AccountStatus") == "Imported"]
        if any(row.get("ResultCode", 0) != 0 for row in imported):
            raise OtherShape("An account that is imported and has a ResultCode")
        return frozenset(id_in(row, "UserID") for row in imported)
