"""The REST client: one method per call of Tencent IM.

It builds, posts, reads and classifies. It never retries, sleeps, logs or reads
settings. No exception of the layers below leaves it, since those hold the address
with the UserSig.
"""

import json
import secrets
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlencode

import requests
import urllib3.exceptions as u3

from .answers import read_answer, unconfirmed
from .outcomes import Outcome, OutcomeKind, Reason
from .rules import (
    ALL_MEMBERS_ONLY_TYPES,
    MAX_RECIPIENTS_PER_CALL,
    RecipientsNotAllowed,
)
from .transport import Transport
from .user_sig import UserSigCache

PATH = "/v4/group_open_http_svc/send_group_system_notification"
MAX_BODY = 64 * 1024

# HTTPException: what a proxy says before the tunnel stands passes urllib3 unwrapped.
_NETWORK_ERRORS = (
    requests.RequestException,
    u3.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)


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
        except _NETWORK_ERRORS as error:
            return _not_sent(error)
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
        return self._call(json.dumps(payload, ensure_ascii=False).encode())

    def close(self) -> None:
        self._transport.close()

    def _call(self, body: bytes) -> Outcome:
        query = urlencode(
            {
                "sdkappid": self.endpoint.sdk_app_id,
                "identifier": self.endpoint.identifier,
                "usersig": self._user_sigs.get(),
                "random": self._random_bits(32),
                "contenttype": "json",
            }
        )
        try:
            status, content = self._transport.post(
                f"{self.endpoint.base_url}{PATH}?{query}",
                body,
                total_deadline=self.endpoint.total_deadline,
                max_body=MAX_BODY,
            )
        except _NETWORK_ERRORS as error:
            if not self._transport.progress.sent:
                return _not_sent(error)
            return _no_verdict(error)
        if len(content) > MAX_BODY:
            return unconfirmed(
                Reason.TOO_LARGE, f"The answer is larger than {MAX_BODY} bytes.", status
            )
        return read_answer(status, content)


# What is at the bottom of an exception → the reason; the first that fits counts.
_BEFORE_SENDING: list[tuple[tuple[type[BaseException], ...], Reason, str]] = [
    ((u3.NameResolutionError,), Reason.DNS, "The host name has no address."),
    ((ssl.SSLError, u3.SSLError), Reason.TLS, "No safe connection could be made."),
    ((TimeoutError,), Reason.CONNECT_TIMEOUT, "No connection came about in time."),
    ((ConnectionRefusedError,), Reason.REFUSED, "The connection was refused."),
]


def _not_sent(error: BaseException) -> Outcome:
    causes = list(_causes(error))
    for kinds, reason, detail in _BEFORE_SENDING:
        if any(isinstance(cause, kinds) for cause in causes):
            return Outcome(OutcomeKind.NOT_SENT, reason, detail)
    return Outcome(
        OutcomeKind.NOT_SENT, Reason.CONNECT_FAILED, "The connection failed."
    )


def _no_verdict(error: BaseException) -> Outcome:
    timeouts = (u3.TimeoutError, TimeoutError, requests.Timeout)
    if any(isinstance(cause, timeouts) for cause in _causes(error)):
        return unconfirmed(Reason.NO_ANSWER, "No whole answer came in time.")
    return unconfirmed(
        Reason.CONNECTION_LOST, "The connection was lost before the whole answer."
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and all that it wraps: in its chain, arguments or ``reason``."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [
                item.__cause__,
                item.__context__,
                getattr(item, "reason", None),
                *item.args,
            ]
    return found
