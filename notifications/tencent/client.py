"""The REST client: one method per call of Tencent IM.

It builds, posts, reads and classifies. It never retries, sleeps, logs or reads
settings. No exception of the layers below leaves it, since those hold the address
with the UserSig.

Sources: https://cloud.tencent.com/document/product/269/1630 (notice), 269/1614 (list),
269/1616 (details of groups), 269/112002 (members), 269/38417 (accounts).
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from notifications.tencent import error_codes, responses
from notifications.tencent.limits import (
    ALL_MEMBERS_ONLY_TYPES,
    MAX_ACCOUNTS_PER_CALL,
    MAX_GROUPS_PER_CALL,
    MAX_GROUPS_PER_PAGE,
    MAX_MEMBERS_PER_CALL,
    MAX_RECIPIENTS_PER_CALL,
    RecipientsNotAllowed,
)
from notifications.tencent.outcomes import (
    NETWORK_ERRORS,
    Outcome,
    Reason,
    no_verdict,
    not_sent,
    unconfirmed,
)
from notifications.tencent.responses import (
    Fields,
    GroupInfo,
    GroupPage,
    Read,
    read_fields,
)
from notifications.tencent.transport import Transport
from notifications.tencent.user_sig import UserSigCache

SERVICE = "/v4/group_open_http_svc/"

PATH = f"{SERVICE}send_group_system_notification"

ACCOUNT_CHECK = "/v4/im_open_login_svc/account_check"

MAX_BODY = 64 * 1024

# Tencent's own limit for an answer is 1 MB.
MAX_READING_BODY = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to call; timeouts in seconds."""

    base_url: str
    sdk_app_id: int
    identifier: str
    connect_timeout: float = 3.05
    read_timeout: float = 10.0
    total_deadline: float = 15.0
    proxy_url: str = field(default="", repr=False)  # may hold a password
    ca_file: str = ""


class ImClient:
    """For one thread. ``random_bits(32)`` gives the ``random`` of each call."""

    def __init__(
        self,
        endpoint: Endpoint,
        user_sigs: UserSigCache,
        *,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self.endpoint = endpoint
        self._user_sigs = user_sigs
        self._random_bits = random_bits
        self._transport = Transport(
            endpoint.base_url,
            connect_timeout=endpoint.connect_timeout,
            read_timeout=endpoint.read_timeout,
            proxy_url=endpoint.proxy_url,
            ca_file=endpoint.ca_file,
        )

    def connect(self) -> Outcome | None:
        """Open the connection ahead of the call; ``None`` when it is open."""
        try:
            self._transport.connect()
        except NETWORK_ERRORS as error:
            return not_sent(error)
        return None

    def send_group_system_notification(
        self,
        group_id: str,
        group_type: str,
        content: str,
        recipients: Sequence[str] | None,
    ) -> Outcome:
        """Show a notice to members of a group; ``recipients=None`` means all.

        Tencent reads an empty list as everybody, so an empty list is refused here:
        ``ValueError``. Types that take all-member notices only, with recipients:
        ``RecipientsNotAllowed``.
        """
        payload: dict[str, object] = {"GroupId": group_id, "Content": content}
        if recipients is not None:
            if group_type in ALL_MEMBERS_ONLY_TYPES:
                raise RecipientsNotAllowed(
                    f"{group_id} is of type {group_type}, which takes notices for all "
                    f"members only; {len(recipients)} members were named."
                )
            if not 1 <= len(recipients) <= MAX_RECIPIENTS_PER_CALL:
                raise ValueError(
                    f"{len(recipients)} recipients for {group_id}; a call takes 1 to "
                    f"{MAX_RECIPIENTS_PER_CALL}."
                )
            payload["ToMembers_Account"] = list(recipients)
        outcome, _fields = self._call(PATH, payload, MAX_BODY)
        return outcome

    def get_appid_group_list(
        self, group_type: str, next_page: int, limit: int
    ) -> Read[GroupPage]:
        """One page of the IDs of all groups; ``group_type=""`` means every type.

        ``next_page`` is 0 for the first page, then ``next`` of the page before.
        ``limit`` not from 1 to 10,000: ``ValueError``.
        """
        if not 1 <= limit <= MAX_GROUPS_PER_PAGE:
            raise ValueError(f"A page has 1 to {MAX_GROUPS_PER_PAGE} IDs, not {limit}.")
        payload: dict[str, object] = {"Limit": limit, "Next": next_page}
        if group_type:
            payload["GroupType"] = group_type
        return responses.read(
            self._read("get_appid_group_list", payload), responses.group_page
        )

    def get_group_info(self, group_ids: Sequence[str]) -> Read[tuple[GroupInfo, ...]]:
        """Type, name and number of members of 1 to 50 groups, else ``ValueError``.

        An accepted call says nothing about a group: each has an ErrorCode of its own.
        """
        _check_count(group_ids, MAX_GROUPS_PER_CALL)
        payload: dict[str, object] = {
            "GroupIdList": list(group_ids),
            # Else lists of members come, too, and the answer grows too large.
            "ResponseFilter": {"GroupBaseInfoFilter": ["Type", "Name", "MemberNum"]},
        }
        return responses.read(
            self._read("get_group_info", payload), responses.group_infos
        )

    def get_specified_group_member_info(
        self, group_id: str, members: Sequence[str]
    ) -> Read[frozenset[str]]:
        """Which of 1 to 50 accounts are members of a group, else ``ValueError``.

        Tencent does not serve it for live rooms.
        """
        _check_count(members, MAX_MEMBERS_PER_CALL)
        payload: dict[str, object] = {
            "GroupId": group_id,
            "Member_List_Account": list(members),
            "MemberInfoFilter": ["Role"],  # the account always comes with it
        }
        return responses.read(
            self._read("get_specified_group_member_info", payload), responses.members
        )

    def account_check(self, accounts: Sequence[str]) -> Read[frozenset[str]]:
        """Which of 1 to 100 accounts the application knows, else ``ValueError``.

        Harmless, and refused like every other call where the application, its key or
        its administrator is wrong.
        """
        _check_count(accounts, MAX_ACCOUNTS_PER_CALL)
        payload = {"CheckItem": [{"UserID": account} for account in accounts]}
        return responses.read(
            self._call(ACCOUNT_CHECK, payload, MAX_BODY), responses.known_accounts
        )

    @property
    def answered_at(self) -> float | None:
        """When the last answer was made by its own clock, in Unix seconds.

        ``None`` where it did not say, or there was none.
        """
        return responses.moment(self._transport.answer_date)

    def close(self) -> None:
        self._transport.close()

    def _read(
        self, command: str, payload: Mapping[str, object]
    ) -> tuple[Outcome, Fields]:
        return self._call(SERVICE + command, payload, MAX_READING_BODY)

    def _call(
        self, path: str, payload: Mapping[str, object], max_body: int
    ) -> tuple[Outcome, Fields]:
        """The outcome, and the fields of the answer where there is a verdict."""
        user_sig = self._user_sigs.get()
        query = urlencode(
            {
                "sdkappid": self.endpoint.sdk_app_id,
                "identifier": self.endpoint.identifier,
                "usersig": user_sig.text,
                "random": self._random_bits(32),
                "contenttype": "json",
            }
        )
        try:
            status, content = self._transport.post(
                f"{self.endpoint.base_url}{path}?{query}",
                json.dumps(payload, ensure_ascii=False).encode(),
                total_deadline=self.endpoint.total_deadline,
                max_body=max_body,
            )
        except NETWORK_ERRORS as error:
            failure = no_verdict if self._transport.progress.sent else not_sent
            return failure(error), {}
        if len(content) > max_body:
            text = f"The answer is larger than {max_body} bytes."
            return unconfirmed(Reason.TOO_LARGE, text, status), {}
        outcome, fields = read_fields(status, content)
        return self._signed_anew(outcome, user_sig.number), fields

    def _signed_anew(self, outcome: Outcome, number: int) -> Outcome:
        """The outcome of a call with the signature ``number``; the cache learns of it."""
        if outcome.error_code is None:
            return outcome
        info = error_codes.info(outcome.error_code)
        if info.refuses_user_sig:
            is_anew = self._user_sigs.refused(number, wrong_key=info.is_wrong_key)
            return replace(outcome, signed_anew=is_anew)
        if info.scope is not error_codes.Scope.ACCOUNT:
            self._user_sigs.accepted(number)
        return outcome


def _check_count(values: Sequence[str], most: int) -> None:
    if not 1 <= len(values) <= most:
        raise ValueError(f"{len(values)} values; a call takes 1 to {most}.")
