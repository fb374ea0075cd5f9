"""Outcomes of a REST call, from a response or from an exception.

A call has exactly one of four outcomes, and only two of them are verdicts of Tencent:

    accepted      HTTP 200, a JSON object, ``ErrorCode`` 0, no other ``ActionStatus``
                  than OK
    rejected      HTTP 200, a JSON object, another integer ``ErrorCode``, no other
                  ``ActionStatus`` than FAIL
    not_sent      our own byte count proves that nothing reached the service
    unconfirmed   anything else: the group may or may not have seen the notice

The caller decides by ``kind``, never by exception class: exceptions do not leave the
client, because they contain the URL with the UserSig.
"""

import ssl
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException

import requests
import urllib3.exceptions as u3


class OutcomeKind(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNCONFIRMED = "unconfirmed"


class Reason(StrEnum):
    """Why a call has no verdict, or the verdict is not the ErrorCode alone.

    The first block can only be ``not_sent``. The last two apply to group messages and to
    their recalls and corrections.
    """

    DNS = "dns"
    REFUSED = "refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS = "tls"

    NO_ANSWER = "no_answer"  # read timeout or total deadline: the request had left
    CONNECTION_LOST = "connection_lost"  # reset or closed before the answer was whole
    HTTP_STATUS = "http_status"  # any status but 200, redirects included
    BAD_ANSWER = "bad_answer"  # 200, but no JSON object with an integer ErrorCode
    CONTRADICTION = "contradiction"  # ActionStatus FAIL with code 0, OK with another
    TOO_LARGE = "too_large"  # more than the body cap

    DEFECT = "defect"  # an unexpected error in this program, before or after sending
    WORKER_LOST = "worker_lost"  # written by recovery, never by the client
    RESTORED = "restored"  # written by quarantine_restored, never by the client

    # Written by the engine and by the questions to Tencent, never by the client.
    UNCERTAIN_CODE = "uncertain_code"  # the ErrorCode does not prove that nothing left
    DROPPED = "dropped"  # failed: ErrorCode 0 with a MsgDropReason
    IN_HISTORY = "in_history"  # accepted: the history of the group shows it
    NOT_IN_HISTORY = "not_in_history"  # failed: the history does not have it
    REPEATED = "repeated"  # accepted: a repeat with the same Random was accepted

    # Of a recall or a correction.
    RECALLED_BEFORE = "recalled_before"  # accepted: it had been taken back already
    STILL_THERE = "still_there"  # failed: the history has the message as it was
    GONE = "gone"  # failed: the history has no message of this number any more
    NOT_KNOWN = "not_known"  # failed: it is not known whether the group has the message
    TAKEN_BACK = "taken_back"  # failed: a message that was taken back has no text


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one call; fields of the response are verbatim.

    ``error_code`` is that of a verdict; ``detail`` names the code of a contradiction.

    ``detail`` is a sentence for users; it never contains the key, the UserSig or the
    URL of the request. ``retry_with_new_signature``: Tencent refused the signature,
    and the next call uses another one.
    """

    kind: OutcomeKind
    reason: Reason | None = None
    detail: str = ""
    http_status: int | None = None
    action_status: str = ""
    error_code: int | None = None
    error_info: str = ""
    retry_with_new_signature: bool = False


# HTTPException: urllib3 does not wrap errors of a proxy before the tunnel is open.
NETWORK_ERRORS = (
    requests.RequestException,
    u3.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)


# Cause of an exception → reason; the first match counts.
_BEFORE_SENDING: list[tuple[tuple[type[BaseException], ...], Reason, str]] = [
    ((u3.NameResolutionError,), Reason.DNS, "The host name has no address."),
    ((ssl.SSLError, u3.SSLError), Reason.TLS, "No safe connection could be made."),
    ((TimeoutError,), Reason.CONNECT_TIMEOUT, "No connection came about in time."),
    ((ConnectionRefusedError,), Reason.REFUSED, "The connection was refused."),
]


def not_sent(error: BaseException) -> Outcome:
    """The outcome of an error before the first byte: nothing reached the service."""
    causes = causes_of(error)
    for kinds, reason, detail in _BEFORE_SENDING:
        if any(isinstance(cause, kinds) for cause in causes):
            return Outcome(OutcomeKind.NOT_SENT, reason, detail)
    return Outcome(
        OutcomeKind.NOT_SENT, Reason.CONNECT_FAILED, "The connection failed."
    )


def unknown_outcome(error: BaseException) -> Outcome:
    """The outcome of an error after the first byte: the service may have acted."""
    timeouts = (u3.TimeoutError, TimeoutError, requests.Timeout)
    if any(isinstance(cause, timeouts) for cause in causes_of(error)):
        return unconfirmed(Reason.NO_ANSWER, "No whole answer came in time.")
    return unconfirmed(
        Reason.CONNECTION_LOST, "The connection was lost before the whole answer."
    )


def defect_outcome(error: BaseException, *, sent: bool) -> Outcome:
    """The outcome of an error that is none of the network."""
    kind = OutcomeKind.UNCONFIRMED if sent else OutcomeKind.NOT_SENT
    return Outcome(kind, Reason.DEFECT, f"An unexpected error: {type(error).__name__}.")


def causes_of(error: BaseException) -> list[BaseException]:
    """The exception and all that it wraps: in its chain, arguments or ``reason``."""
    causes: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and item not in causes:
            causes.append(item)
            waiting += [
                item.__cause__,
                item.__context__,
                getattr(item, "reason", None),
                *item.args,
            ]
    return causes


def unconfirmed(reason: Reason, detail: str, http_status: int | None = None) -> Outcome:
    return Outcome(OutcomeKind.UNCONFIRMED, reason, detail, http_status)
