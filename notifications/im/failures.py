"""What the exceptions of one HTTP call mean: not sent, or no verdict.

None of them leaves the client, since those hold the address with the UserSig.
"""

import ssl
from http.client import HTTPException

import requests
import urllib3.exceptions as u3

from .answers import unconfirmed
from .outcomes import Outcome, OutcomeKind, Reason

# HTTPException: what a proxy says before the tunnel stands passes urllib3 unwrapped.
NETWORK_ERRORS = (
    requests.RequestException,
    u3.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)

# What is at the bottom of an exception → the reason; the first that fits counts.
_BEFORE_SENDING: list[tuple[tuple[type[BaseException], ...], Reason, str]] = [
    ((u3.NameResolutionError,), Reason.DNS, "The host name has no address."),
    ((ssl.SSLError, u3.SSLError), Reason.TLS, "No safe connection could be made."),
    ((TimeoutError,), Reason.CONNECT_TIMEOUT, "No connection came about in time."),
    ((ConnectionRefusedError,), Reason.REFUSED, "The connection was refused."),
]


def not_sent(error: BaseException) -> Outcome:
    """Before the first byte: nothing reached the service."""
    causes = causes_of(error)
    for kinds, reason, detail in _BEFORE_SENDING:
        if any(isinstance(cause, kinds) for cause in causes):
            return Outcome(OutcomeKind.NOT_SENT, reason, detail)
    return Outcome(
        OutcomeKind.NOT_SENT, Reason.CONNECT_FAILED, "The connection failed."
    )


def no_verdict(error: BaseException) -> Outcome:
    """After the first byte: the service may have acted."""
    timeouts = (u3.TimeoutError, TimeoutError, requests.Timeout)
    if any(isinstance(cause, timeouts) for cause in causes_of(error)):
        return unconfirmed(Reason.NO_ANSWER, "No whole answer came in time.")
    return unconfirmed(
        Reason.CONNECTION_LOST, "The connection was lost before the whole answer."
    )


def causes_of(error: BaseException) -> list[BaseException]:
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
