"""The connection to Tencent IM: reads the settings and builds the client.

Hosts: https://cloud.tencent.com/document/product/269/1519 (overview of the REST API).
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from notifications.tencent.client import Endpoint, ImClient
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
    host = urlsplit(url).hostname or ""
    try:
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


def is_configured() -> bool:
    """Whether the settings suffice for ``connection()``; ``manage.py check`` explains."""
    app_id = settings.IM_SDK_APP_ID
    is_number = app_id.isascii() and app_id.isdigit()
    return bool(is_number and settings.IM_SECRET_KEY and base_url())


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
            ca_file=settings.IM_CA_FILE,
        ),
        UserSigCache(
            sdk_app_id,
            settings.IM_SECRET_KEY,
            account,
            next_key=settings.IM_SECRET_KEY_NEXT,
            valid_for=USER_SIG_LIFETIME,
        ),
    )


def is_secure_url(url: str) -> bool:
    """Whether ``url`` is an HTTPS URL or points to this machine."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and is_loopback(url)
    return bool(parts.hostname) and (parts.scheme == "https" or is_local)
