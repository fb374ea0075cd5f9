"""The REST client: makes any call of ``tencent/calls``.

It posts, reads and classifies. It never retries, sleeps, logs or reads settings. No
exception of the layers below leaves it, since those hold the address with the UserSig.
"""

import json
import secrets
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
    moment,
    parse_response,
)
from notifications.tencent.transport import Transport
from notifications.tencent.user_sig import UserSigCache


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

    def call(self, call: Call[T]) -> Response[T]:
        """Make a call. ``ValueError``, before any byte, where its limits forbid it."""
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
        """When the last answer was made by its own clock, in Unix seconds.

        ``None`` where it did not say, or there was none.
        """
        return moment(self._transport.answer_date)

    def close(self) -> None:
        self._transport.close()

    def _post(self, call: Call[Any]) -> tuple[Outcome, Fields]:
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
