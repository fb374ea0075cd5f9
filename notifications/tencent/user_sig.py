"""UserSig: the signature that every call carries (TLSSigAPIv2, HMAC-SHA256).

Sources: https://cloud.tencent.com/document/product/269/1664 and Tencent's public
libraries named tls-sig-api-v2. The characters of the key are the HMAC key: it looks
hexadecimal, but is not decoded.
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

# Tencent's alphabet differs from the URL-safe alphabet of RFC 4648.
_TO_SIG = str.maketrans("+/=", "*-_")

_FROM_SIG = str.maketrans("*-_", "+/=")

_MAX_DOCUMENT = 16 * 1024


def make_user_sig(
    sdk_app_id: int, key: str, user_id: str, *, now: int, valid_for: int
) -> str:
    """Sign for ``user_id`` from ``now`` (Unix seconds) for ``valid_for`` seconds."""
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
    """Return the fields of a signature. Raise ``ValueError`` if it cannot be decoded."""
    try:
        packed = base64.b64decode(user_sig.translate(_FROM_SIG), validate=True)
        document = json.loads(zlib.decompressobj().decompress(packed, _MAX_DOCUMENT))
    except (ValueError, zlib.error):
        # `from None`: the exception chain would contain the signature.
        raise ValueError("The UserSig cannot be decoded.") from None
    if not isinstance(document, dict):
        raise ValueError("The UserSig holds no JSON object.")  # noqa: TRY004  of the text
    return document


@dataclass(frozen=True, slots=True)
class UserSig:
    """A signature; ``number`` identifies it in the cache."""

    text: str = field(repr=False)
    number: int


class UserSigCache:
    """One signature for all threads, in memory only, renewed at half its lifetime.

    ``next_key`` is the successor of ``key`` in a key rotation: when Tencent refuses a
    signature, the cache switches to the other key and stays with it. Concurrent calls
    are refused with the old signature, too; its number prevents a switch back.
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
        # Both are reset when a signature is accepted:
        self._keys_refused = 0
        self._was_renewed = False

    def __repr__(self) -> str:
        return f"UserSigCache(sdk_app_id={self._sdk_app_id}, user_id={self._user_id!r})"

    def get(self) -> UserSig:
        """Return a signature that is valid for at least half of ``valid_for``."""
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
        """Record that Tencent accepted the signature of this number."""
        with self._lock:
            if number == self._number:
                self._keys_refused, self._was_renewed = 0, False

    def refused(self, number: int, *, wrong_key: bool) -> bool:
        """Record a refusal. Return whether to retry with the next signature.

        Unless the key is known to be wrong, the same key signs once more, then the
        other key. After a refusal of all keys, return ``False`` and start over, because
        a key may have been corrected by the time of the next call.
        """
        with self._lock:
            if wrong_key and len(self._keys) == 1:
                return False
            if number != self._number:
                return True  # another call has renewed it
            self._drop()
            if not (wrong_key or self._was_renewed):
                self._was_renewed = True
                return True
            self._was_renewed = False
            self._keys.rotate(-1)
            self._keys_refused = (self._keys_refused + 1) % len(self._keys)
            return self._keys_refused > 0

    def _drop(self) -> None:
        self._current = ""
        self._number += 1
