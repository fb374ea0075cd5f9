"""Origin of requests: the client's address, and one number for all audit entries."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from notifications import audit_log, permissions
from notifications.console.origin import (
    OriginMiddleware,
    address_of,
    lockout_address,
)
from notifications.delivery.controls import pause_shown
from notifications.models import AuditEntry
from tests.factories import make_delivery, make_notification, make_user

pytestmark = pytest.mark.one_database

DIRECT = "198.51.100.9"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "direct", "address"),
    [
        (0, None, DIRECT, DIRECT),
        (0, "203.0.113.5", DIRECT, DIRECT),
        (1, "203.0.113.5", DIRECT, "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", DIRECT, "203.0.113.5"),
        (2, "6.6.6.6,203.0.113.5,10.0.0.1", DIRECT, "203.0.113.5"),
        (1, "2001:DB8:0::5", DIRECT, "2001:db8::5"),
        # with the port, as Azure and IIS write it
        (1, "203.0.113.5:4711", DIRECT, "203.0.113.5"),
        (1, "6.6.6.6:1, 203.0.113.5:4711", DIRECT, "203.0.113.5"),
        (2, "203.0.113.5:4711, 10.0.0.1:80", DIRECT, "203.0.113.5"),
        (1, "[2001:DB8::5]:443", DIRECT, "2001:db8::5"),
        (1, "[2001:db8::5]", DIRECT, "2001:db8::5"),
        (1, "2001:db8::5:443", DIRECT, "2001:db8::5:443"),
        # IPv4 addresses of a socket for both protocols
        (1, "::ffff:203.0.113.5", DIRECT, "203.0.113.5"),
        (1, "[::ffff:203.0.113.5]:443", DIRECT, "203.0.113.5"),
        (1, "::FFFF:CB00:7105", DIRECT, "203.0.113.5"),
        (0, None, "::ffff:198.51.100.9", DIRECT),
        # an invalid header is ignored
        (2, "203.0.113.5", DIRECT, DIRECT),
        (1, None, DIRECT, DIRECT),
        (1, "", DIRECT, DIRECT),
        (1, "<script>", DIRECT, DIRECT),
        (1, "203.0.113", DIRECT, DIRECT),
        (1, "203.0.113.5:", DIRECT, DIRECT),
        (1, "203.0.113.5:http", DIRECT, DIRECT),
        (1, "[203.0.113.5:1", DIRECT, DIRECT),
        (1, "[[2001:db8::5]]:443", DIRECT, DIRECT),
        (1, "fe80::1%" + "x" * 60, DIRECT, DIRECT),
        (0, None, "", ""),
        (0, None, "unix:", ""),
    ],
)
def test_the_address(settings, trusted, forwarded, direct, address):
    settings.TRUSTED_PROXIES = trusted
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=direct)

    assert address_of(request) == address


@pytest.mark.parametrize(
    ("direct", "counted"),
    [
        (DIRECT, DIRECT),
        ("::ffff:198.51.100.9", DIRECT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "::"),
    ],
)
def test_whose_wrong_logins_are_counted_together(direct, counted):
    request = RequestFactory().get("/", REMOTE_ADDR=direct)

    assert lockout_address(request) == counted


def test_each_request_has_its_own_origin_and_none_is_left_behind():
    seen = []

    def view(_request):
        seen.append(audit_log.current_origin())
        if len(seen) == 2:
            raise RuntimeError
        return HttpResponse()

    around = OriginMiddleware(view)
    around(RequestFactory().get("/"))
    with pytest.raises(RuntimeError):
        around(RequestFactory().get("/"))

    assert seen[0].number != seen[1].number
    assert seen[0].address == "127.0.0.1"
    assert audit_log.current_origin() is None


@pytest.mark.django_db
def test_a_click_says_who_from_where_and_with_which_right():
    chief = make_user(superuser=True, first_name="Mei", last_name="Lin")
    notification = make_notification(sender=chief, status="sending")
    make_delivery(notification)
    client = Client(REMOTE_ADDR=DIRECT)
    client.force_login(chief)

    client.post(f"/sent/{notification.pk}/pause/")
    client.post(
        f"/sent/{notification.pk}/resume/", {"shown": pause_shown(notification)}
    )

    paused, resumed = AuditEntry.objects.order_by("id")
    for entry in (paused, resumed):
        assert (entry.actor, entry.actor_name) == ("lin.mei", "Mei Lin")
        assert (entry.by_superuser, entry.address) == (True, DIRECT)
    assert paused.request_number != resumed.request_number


@pytest.mark.django_db
def test_looking_writes_nothing():
    client = Client()
    client.force_login(make_user(permissions.AUDITOR))
    client.get("/history/")

    assert not AuditEntry.objects.exists()
