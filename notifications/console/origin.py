"""The origin of a request: the address of the client, and the number of the request."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from notifications import audit_log, logs
from notifications.audit_log import Origin

ADDRESS_MAX_LENGTH = 45

# 203.0.113.7:51234, [2001:db8::1]:443 and [2001:db8::1], as Azure and IIS write them.
ADDRESS_AND_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}|\[([^\[\]]+)\](?::[0-9]{1,5})?")

IPV6, IPV6_NETWORK_BITS = 6, 64


class OriginMiddleware:
    """Set the origin of audit entries: user, address and number of the request.

    One of the first, so that all log lines contain the number. The response header
    X-Request-ID contains it as well, for error reports.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The user is read lazily: the views log people in and out.
        origin = Origin(lambda: getattr(request, "user", None), address_of(request))
        with (
            audit_log.origin(origin),
            logs.log_context(request_id=lambda: origin.number),
        ):
            response = self.get_response(request)
        response["X-Request-ID"] = str(origin.number)
        return response


def address_of(request: HttpRequest) -> str:
    """Return the IP address of the client, or an empty string.

    Each of ``TRUSTED_PROXIES`` proxies appends the address of its client, so the n-th
    from the right is the last that a trusted proxy wrote; the client controls those to
    the left of it. Some proxies append the port as well. An invalid header is ignored.
    """
    headers: dict[str, str] = request.META
    hops = [hop.strip() for hop in headers.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    trusted = settings.TRUSTED_PROXIES
    if 0 < trusted <= len(hops):
        hop = hops[-trusted]
        with_port = ADDRESS_AND_PORT.fullmatch(hop)
        if client := _address(with_port[1] or with_port[2] if with_port else hop):
            return client
    return _address(headers.get("REMOTE_ADDR", ""))


def lockout_address(request: HttpRequest) -> str:
    """Return the address by which django-axes counts wrong logins.

    For IPv6 it is the /64 network, all of whose addresses belong to one client.
    Requests without an address share one, so that they can be locked out as well.
    """
    address = address_of(request) or "::"
    if ip_address(address).version == IPV6:
        network = ip_network(
            (address.partition("%")[0], IPV6_NETWORK_BITS), strict=False
        )
        return str(network.network_address)
    return address


def _address(text: str) -> str:
    """Return the canonical form of an address, or an empty string if it is invalid.

    A socket for both protocols shows IPv4 addresses as ``::ffff:203.0.113.7``.
    """
    try:
        parsed = ip_address(text)
    except ValueError:
        return ""
    address = str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return address if len(address) <= ADDRESS_MAX_LENGTH else ""
