"""The connection to Tencent IM: reads the settings and builds the client.

Hosts: https://cloud.tencent.com/document/product/269/1519 (overview of the REST API).
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from notifications.tencent.client import Endpoint, ImClient
from notifications.tencent.transport import tls_context
from notifications.tencent.user_sig import UserSigCache

HOSTS = {
    "china": "console.tim.qq.com",
    "singapore": "adminapisgp.im.qcloud.com",
    "seoul": "adminapikr.im.qcloud.com",
    "tokyo": "adminapijpn.im.qcloud.com",
    "frankfurt": "adminapiger.im.qcloud.com",
    "silicon-valley": "adminapiusa.im.qcloud.com",
    "jakarta": "adminapiidn.im.qcloud.com",
}


# Stay below the account's limit, since calls bunch up on their way to the server.
RATE_SHARE = 0.95

USER_SIG_LIFETIME = 24 * 3600  # seconds


def is_loopback(url: str) -> bool:
    """Whether ``url`` points to this machine: to a sandbox instead of Tencent."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def base_url() -> str:
    """Return the base URL of calls: ``IM_BASE_URL``, else the host of ``IM_REGION``.

    Empty for an unknown region, which ``manage.py check`` reports.
    """
    if settings.IM_BASE_URL:
        return str(settings.IM_BASE_URL).rstrip("/")
    host = HOSTS.get(settings.IM_REGION, "")
    return f"https://{host}" if host else ""


def uses_sandbox() -> bool:
    return is_loopback(base_url())


def is_sdk_app_id(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]{0,18}", text))


def client_problem() -> str:
    """Why no client can be made of the settings, or an empty string.

    The name of the error only: its text may contain the password of the proxy.
    """
    try:
        connection().client().close()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return ""


def calls_per_second() -> float:
    """Return the rate of all workers together, in calls per second."""
    return float(settings.IM_CALLS_PER_SECOND) * RATE_SHARE


@dataclass(frozen=True, slots=True)
class Connection:
    """The state that HTTP threads share: the endpoint and the cached UserSig."""

    endpoint: Endpoint
    user_sigs: UserSigCache

    def client(self) -> ImClient:
        """Return a client for one thread."""
        return ImClient(self.endpoint, self.user_sigs)


def connection() -> Connection:
    """Return the connection of the settings.

    Call it only after ``manage.py check`` found no problem, as the worker does.
    """
    sdk_app_id = int(settings.IM_SDK_APP_ID)
    account = settings.IM_ADMIN_ACCOUNT
    return Connection(
        Endpoint(
            base_url=base_url(),
            sdk_app_id=sdk_app_id,
            identifier=account,
            connect_timeout=settings.IM_CONNECT_TIMEOUT,
            read_timeout=settings.IM_READ_TIMEOUT,
            proxy_url=settings.IM_PROXY_URL,
            tls=tls_context(settings.IM_CA_FILE),
        ),
        UserSigCache(
            sdk_app_id,
            settings.IM_SECRET_KEY,
            account,
            next_key=settings.IM_SECRET_KEY_NEXT,
            valid_for=USER_SIG_LIFETIME,
        ),
    )


_HOST_NAME = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.I)


def is_secure_url(url: str) -> bool:
    """Whether ``url`` is an HTTPS URL or points to this machine."""
    parts = _parts(url)
    if parts is None:
        return False
    is_local = parts.scheme == "http" and is_loopback(url)
    return parts.scheme == "https" or is_local


def is_base_url(url: str) -> bool:
    """Whether ``url`` can be ``IM_BASE_URL``: a secure URL of a host only."""
    return is_secure_url(url) and _is_bare(url) and "@" not in url


def is_proxy_url(url: str) -> bool:
    """Whether ``url`` can be ``IM_PROXY_URL``; it may contain a user and a password."""
    parts = _parts(url)
    is_http = parts is not None and parts.scheme in ("http", "https")
    return is_http and _is_bare(url)


def _parts(url: str) -> SplitResult | None:
    """The parts of a URL with a valid host and port, else ``None``.

    ``urlsplit`` removes blanks and control characters, which ``requests`` refuses.
    """
    if not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if "[" in parts.netloc:
            ip_address(host)
        elif not _HOST_NAME.fullmatch(host):
            return None
    except ValueError:
        return None
    return None if port == 0 or parts.netloc.endswith(":") else parts


def _is_bare(url: str) -> bool:
    """Whether a URL ends after its host and port."""
    parts = urlsplit(url)
    return url.partition("://")[2] in (parts.netloc, f"{parts.netloc}/")
