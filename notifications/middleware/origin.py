"""Where the audit entries and the log lines of a request come from."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from notifications import log_lines
from notifications.record import trail
from notifications.record.trail import Origin

ADDRESS_MAX_LENGTH = 45
IPV6, NETWORK_BITS = 6, 64


class OriginMiddleware:
    """Entries of one request share its person, its address and one number.

    The first of all, so that every line of the log has that number. Whoever asked gets
    it as well, to name it when something went wrong.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The person is asked late: the views log people in and out.
        begun = Origin(lambda: getattr(request, "user", None), address_of(request))
        with trail.origin(begun), log_lines.about(request_id=lambda: begun.number):
            response = self.get_response(request)
        response["X-Request-ID"] = str(begun.number)
        return response


def address_of(request: HttpRequest) -> str:
    """The IP address that the request came from; empty where there is none.

    Behind ``TRUSTED_PROXIES`` proxies, each of which appends the address that called
    it, the n-th from the right is the last that a trusted one wrote: what stands left
    of it anybody could have sent. A header that cannot be used is ignored.
    """
    headers: dict[str, str] = request.META
    hops = [hop.strip() for hop in headers.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    trusted = settings.TRUSTED_PROXIES
    if 0 < trusted <= len(hops) and (seen := _address(hops[-trusted])):
        return seen
    return _address(headers.get("REMOTE_ADDR", ""))


def address_to_count(request: HttpRequest) -> str:
    """Whose wrong logins are counted together: ``address_of``.

    Of IPv6 the first half: whoever has one address there has all of the same network.
    Requests without any address have one in common, or nobody there would ever be
    locked out.
    """
    address = address_of(request) or "::"
    if ip_address(address).version == IPV6:
        network = ip_network((address.partition("%")[0], NETWORK_BITS), strict=False)
        return str(network.network_address)
    return address


def _address(text: str) -> str:
    """In one way of writing it; empty for what is no address."""
    try:
        address = str(ip_address(text))
    except ValueError:
        return ""
    return address if len(address) <= ADDRESS_MAX_LENGTH else ""
