"""UserSig: the signature that every call carries (TLSSigAPIv2, HMAC-SHA256).

Sources: https://cloud.tencent.com/document/product/269/1664 and Tencent's public
libraries named tls-sig-api-v2. The key signs as the characters that it is written
with; it looks like hexadecimal and is not decoded.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Tencent's alphabet differs from the URL-safe one of RFC 4648.
_TO_SIG = str.maketrans("+/=", "*-_")

_FROM_SIG = str.maketrans("*-_", "+/=")

_MAX_DOCUMENT = 16 * 1024


def make_user_sig(
    sdk_app_id: int, key: str, user_id: str, *, now: int, valid_for: int
) -> str:
    """A signature for ``user_id`` from ``now`` (Unix seconds) for ``valid_for`` s."""
    signed = (
        f"TLS.identifier:{user_id}\nTLS.sdkappid:{sdk_app_id}\n"
        f"TLS.time:{now}\nTLS.expire:{valid_for}\n"
    )
    digest = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    document = {
        "TLS.ver": "2.0",
        "TLS.identifier": user_id,
        "TLS.sdkappid": sdk_app_id,
        "TLS.expire": valid_for,
        "TLS.time": now,
        "TLS.sig": base64.b64encode(digest).decode(),
    }
    packed = zlib.compress(json.dumps(document).encode())
    return base64.b64encode(packed).decode().translate(_TO_SIG)


def read_user_sig(user_sig: str) -> dict[str, Any]:
    """The fields inside a signature. Raises ``ValueError`` when it cannot be read."""
    try:
        packed = base64.b64decode(user_sig.translate(_FROM_SIG), validate=True)
        document = json.loads(zlib.decompressobj().decompress(packed, _MAX_DOCUMENT))
    except (ValueError, zlib.error):
        # `from None`: the chain would show the signature.
        raise ValueError("The UserSig cannot be decoded.") from None
    if not isinstance(document, dict):
        raise ValueError("The UserSig holds no JSON object.")  # noqa: TRY004  of the text
    return document


@dataclass(frozen=True, slots=True)
class UserSig:
    """A signature; ``number`` tells the cache which one it was."""

    text: str = field(repr=False)
    number: int


class UserSigCache:
    """One signature for all threads, in memory only, renewed at half its life.

    ``next_key`` is the key that is to follow ``key``: when Tencent refuses a signature,
    the cache turns to the other key and stays with it. Calls under way are refused with
    the old signature at the same moment; its number keeps them from turning it back.
    """

    def __init__(
        self,
        sdk_app_id: int,
        key: str,
        user_id: str,
        *,
        next_key: str = "",
        valid_for: int = 24 * 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sdk_app_id = sdk_app_id
        self._keys = deque(dict.fromkeys([key, next_key] if next_key else [key]))
        self._user_id = user_id
        self._valid_for = valid_for
        self._clock = clock
        self._lock = threading.Lock()
        self._current = ""
        self._number = 1
        self._renew_at = 0.0
        # Since a signature was last accepted:
        self._keys_refused = 0
        self._was_signed_anew = False

    def __repr__(self) -> str:
        return f"UserSigCache(sdk_app_id={self._sdk_app_id}, user_id={self._user_id!r})"

    def get(self) -> UserSig:
        """A signature that is valid for at least half of ``valid_for`` more."""
        with self._lock:
            now = self._clock()
            if self._current and now >= self._renew_at:
                self._drop()
            if not self._current:
                self._current = make_user_sig(
                    self._sdk_app_id,
                    self._keys[0],
                    self._user_id,
                    now=int(now),
                    valid_for=self._valid_for,
                )
                self._renew_at = now + self._valid_for / 2
            return UserSig(self._current, self._number)

    def accepted(self, number: int) -> None:
        """Tencent took the signature of this number."""
        with self._lock:
            if number == self._number:
                self._keys_refused, self._was_signed_anew = 0, False

    def refused(self, number: int, *, wrong_key: bool) -> bool:
        """Whether the next call carries another signature that is worth a try.

        Unless the key is known to be wrong, the same key signs once more, then the
        other one does. When all were refused, the answer is no, and it begins anew:
        a key may have been mended until somebody tries again.
        """
        with self._lock:
            if wrong_key and len(self._keys) == 1:
                return False
            if number != self._number:
                return True  # another call has seen to it
            self._drop()
            if not (wrong_key or self._was_signed_anew):
                self._was_signed_anew = True
                return True
            self._was_signed_anew = False
            self._keys.rotate(-1)
            self._keys_refused = (self._keys_refused + 1) % len(self._keys)
            return self._keys_refused > 0

    def _drop(self) -> None:
        self._current = ""
        self._number += 1
