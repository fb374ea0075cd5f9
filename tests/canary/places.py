"""The secrets in use, and the places that are searched for them."""

import secrets
from urllib.parse import quote_plus

from notifications.sandbox.server import SandboxServer
from notifications.tencent.user_sig import read_user_sig


class Canary:
    """The secrets that were in use, and the places that were searched."""

    server: SandboxServer

    def __init__(self) -> None:
        self.keys = [secrets.token_hex(32), secrets.token_hex(32)]
        self.user_sigs: list[str] = []
        self.searched: dict[str, str] = {}

    def secrets(self) -> set[str]:
        found = set(self.keys)
        for made in self.user_sigs:
            signature = read_user_sig(made)["TLS.sig"]
            # All signatures share their beginning; only the end is secret.
            found |= {made, made[-40:], signature}
        return found | {quote_plus(secret) for secret in found}

    def keep(self, place: str, text: str) -> None:
        assert text, place
        self.searched[place] = self.searched.get(place, "") + text

    def places_with_a_secret(self) -> list[str]:
        return [
            place
            for place, text in self.searched.items()
            if any(secret in text for secret in self.secrets())
        ]
