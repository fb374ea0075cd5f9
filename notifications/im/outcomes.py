"""What one REST call came to.

A call ends in exactly one of four ways, and only two of them are verdicts of Tencent:

    accepted      HTTP 200, a JSON object, ``ErrorCode`` 0
    rejected      HTTP 200, a JSON object, another integer ``ErrorCode``
    not_sent      our own byte count proves that nothing reached the service
    unconfirmed   anything else: the group may or may not have seen the notice

Errors are values here: the caller decides by ``kind``, never by exception class.
"""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNCONFIRMED = "unconfirmed"


class Reason(StrEnum):
    """Why a call gave no verdict. The first block can only be ``not_sent``."""

    DNS = "dns"
    REFUSED = "refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS = "tls"

    NO_ANSWER = "no_answer"  # read timeout or total deadline: the request had left
    CONNECTION_LOST = "connection_lost"  # reset or closed before the answer was whole
    HTTP_STATUS = "http_status"  # any status but 200, redirects included
    BAD_ANSWER = "bad_answer"  # 200, but no JSON object with an integer ErrorCode
    TOO_LARGE = "too_large"  # more than the body cap

    WORKER_LOST = "worker_lost"  # written by recovery, never by the client
    RESTORED = "restored"  # written by quarantine_restored, likewise


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one call; fields of the answer are verbatim.

    ``detail`` is one plain sentence for people who look closer; it never holds the
    key, the UserSig or the request's address. ``signed_anew``: Tencent refused the
    signature, and the next call carries another one.
    """

    kind: OutcomeKind
    reason: Reason | None = None
    detail: str = ""
    http_status: int | None = None
    action_status: str = ""
    error_code: int | None = None
    error_info: str = ""
    signed_anew: bool = False
