"""The REST client: makes any call of ``tencent/calls``.

It posts a call, parses the response and classifies the outcome. It never retries,
sleeps, logs or reads settings. It raises no exception of the layers below, because
those contain the URL with the UserSig.
"""

import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from notifications.tencent import error_codes
from notifications.tencent.calls.base import Call, OtherShape, T
from notifications.tencent.outcomes import (
    NETWORK_ERRORS,
    Outcome,
    OutcomeKind,
    Reason,
    not_sent,
    unconfirmed,
    unknown_outcome,
)
from notifications.tencent.responses import (
    Fields,
    Response,
    bad_answer,
    parse_http_date,
    parse_response,
)
from notifications.tencent.transport import Transport, tls_context
from notifications.tencent.user_sig import UserSigCache


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The service, the account that calls it, and the timeouts in seconds.

    All clients of an endpoint share ``tls``, which holds the trusted certificates.
    """

    base_url: str
    sdk_app_id: int
    identifier: str
    connect_timeout: float = 3.05
    read_timeout: float = 10.0
    total_deadline: float = 15.0
    proxy_url: str = field(default="", repr=False)  # may hold a password
    tls: ssl.SSLContext = field(default_factory=tls_context, repr=False)


class ImClient:
    """Not thread-safe. ``random_bits(32)`` returns the ``random`` of each call."""

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
            tls=endpoint.tls,
        )

    def connect(self) -> Outcome | None:
        """Open the connection before the call. Return ``None`` on success."""
        try:
            self._transport.connect()
        except NETWORK_ERRORS as error:
            return not_sent(error)
        return None

    def call(self, call: Call[T]) -> Response[T]:
        """Make a call. Raise ``ValueError`` before sending if it breaks a limit."""
        call.check()
        outcome, fields = self._post(call)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            return Response(outcome)
        try:
            return Response(outcome, call.parse(fields))
        except OtherShape as error:
            return Response(bad_answer(f"{error} is not as documented."))

    @property
    def answered_at(self) -> float | None:
        """The ``Date`` of the last response in Unix seconds, or ``None`` without one."""
        return parse_http_date(self._transport.answer_date)

    @property
    def has_sent(self) -> bool:
        """Whether a byte was sent since the last ``connect`` or of the last request."""
        return self._transport.progress.sent

    def close(self) -> None:
        self._transport.close()

    def _post(self, call: Call[Any]) -> tuple[Outcome, Fields]:
        """Return the outcome, and the fields of the response if it is a verdict."""
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
                f"{self.endpoint.base_url}{call.path()}?{query}",
                json.dumps(call.payload(), ensure_ascii=False).encode(),
                total_deadline=self.endpoint.total_deadline,
                max_body=call.MAX_ANSWER,
            )
        except NETWORK_ERRORS as error:
            failure = unknown_outcome if self._transport.progress.sent else not_sent
            return failure(error), {}
        if len(content) > call.MAX_ANSWER:
            text = f"The answer is larger than {call.MAX_ANSWER} bytes."
            return unconfirmed(Reason.TOO_LARGE, text, status), {}
        outcome, fields = parse_response(status, content)
        return self._report_to_cache(outcome, call.COMMAND, user_sig.number), fields

    def _report_to_cache(self, outcome: Outcome, command: str, number: int) -> Outcome:
        """Report to the cache whether Tencent accepted the signature ``number``.

        Return the outcome with ``retry_with_new_signature`` set.
        """
        if outcome.error_code is None:
            return outcome
        info = error_codes.info(outcome.error_code, command)
        if info.refuses_user_sig:
            can_retry = self._user_sigs.refused(number, wrong_key=info.is_wrong_key)
            return replace(outcome, retry_with_new_signature=can_retry)
        if info.scope is not error_codes.Scope.ACCOUNT:
            self._user_sigs.accepted(number)
        return outcome
