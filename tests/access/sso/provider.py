"""A small local OpenID provider; tests configure it to return invalid responses.

The document, token and keys go over HTTP, as in production; so does the authorization
endpoint for a browser. Tests without one call ``consent``.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CLIENT, SECRET = "notifier", "the-secret-of-the-client"
SUBJECT = "8d2c-1"
Claims = dict[str, Any]
Key = RSAPrivateKey | EllipticCurvePrivateKey


class Provider:
    def __init__(self, key: Key, name: str = "corp") -> None:
        self.key = key
        self.name = name
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: list[str] = []  # all issued tokens
        self.claims: Claims = {"sub": SUBJECT, "preferred_username": "mei"}
        self.sign: Callable[[Claims], str] = self.signed
        self.status = 200  # of the token endpoint
        self.keys: Any = {"keys": [self.public()]}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.provider = self  # type: ignore[attr-defined]  # set by this class
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def __enter__(self) -> "Provider":
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def app_of(issuer: str, name: str = "corp") -> dict[str, Any]:
        """A provider in ``SOCIALACCOUNT_PROVIDERS``, without roles."""
        return {
            "provider_id": name,
            "name": "Keycloak",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {
                "server_url": issuer,
                "issuer": issuer,
                "scope": ["openid", "profile", "email"],
                "roles_claim": "groups",
                "roles": [],
                "fetch_userinfo": False,
                "oauth_pkce_enabled": True,
            },
        }

    def consent(self, location: str) -> str:
        """Return the URL that the provider redirects to after the login."""
        address, _, query = location.partition("?")
        assert address == f"{self.url}/authorize"
        asked = dict(parse_qsl(query))
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{urlsplit(asked['redirect_uri']).path}?{back}"

    def token(self, form: dict[str, str]) -> dict[str, str] | None:
        """Exchange a code for a token: once, for the client that began the login."""
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or (form["client_id"], form["client_secret"]) != (CLIENT, SECRET)
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        right = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        claims = right | self.claims
        self.tokens.append(
            self.sign({name: v for name, v in claims.items() if v is not None})
        )
        return {
            "id_token": self.tokens[-1],
            "access_token": "an-access-token",
            "token_type": "Bearer",
        }

    def signed(self, claims: Claims) -> str:
        is_rsa = isinstance(self.key, RSAPrivateKey)
        algorithm = "RS256" if is_rsa else "ES256"
        return jwt.encode(claims, self.key, algorithm, headers={"kid": "1"})

    def public(self) -> Claims:
        is_rsa = isinstance(self.key, RSAPrivateKey)
        kind = jwt.algorithms.RSAAlgorithm if is_rsa else jwt.algorithms.ECAlgorithm
        key = kind.to_jwk(self.key.public_key(), as_dict=True)
        return key | {"kid": "1", "use": "sig"}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set by this class
        if self.path.startswith("/authorize?"):
            asked = dict(parse_qsl(urlsplit(self.path).query))
            place = urlsplit(asked["redirect_uri"])
            path = provider.consent(provider.url + self.path)
            self._answer(302, {}, location=f"{place.scheme}://{place.netloc}{path}")
            return
        self._answer(200, provider.keys if self.path == "/keys" else provider.document)

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set by this class
        length = int(self.headers["Content-Length"])
        form = parse_qs(self.rfile.read(length).decode())
        token = provider.token({name: values[0] for name, values in form.items()})
        refusal = (400, {"error": "invalid_grant"})
        self._answer(*((provider.status, token) if token else refusal))

    def _answer(self, status: int, body: Any, *, location: str = "/token") -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Location", location)  # used by redirects only
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        pass
