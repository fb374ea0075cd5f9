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
from collections.abc import Callable
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


class UserSigCache:
    """One signature for all threads, in memory only, renewed at half its life."""

    def __init__(
        self,
        sdk_app_id: int,
        key: str,
        user_id: str,
        *,
        valid_for: int = 24 * 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sdk_app_id = sdk_app_id
        self._key = key
        self._user_id = user_id
        self._valid_for = valid_for
        self._clock = clock
        self._lock = threading.Lock()
        self._current = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"UserSigCache(sdk_app_id={self._sdk_app_id}, user_id={self._user_id!r})"

    def get(self) -> str:
        """A signature that is valid for at least half of ``valid_for`` more."""
        with self._lock:
            now = self._clock()
            if not self._current or now >= self._renew_at:
                self._current = make_user_sig(
                    self._sdk_app_id,
                    self._key,
                    self._user_id,
                    now=int(now),
                    valid_for=self._valid_for,
                )
                self._renew_at = now + self._valid_for / 2
            return self._current

    def renew(self) -> None:
        """Make a new one at the next call: Tencent refused the present one."""
        with self._lock:
            self._current = ""
