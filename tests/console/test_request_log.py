"""The request log: fields, excluded data and levels."""

import logging

import pytest
from django.test import Client

from notifications import permissions
from notifications.access.services import links
from notifications.models import AuditEntry
from tests.factories import make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def _all_lines(caplog):
    caplog.set_level(logging.DEBUG, "notifications.requests")


def test_a_page_is_told_without_its_query(log_in, caplog):
    client = log_in(make_user(permissions.AUDITOR))

    client.get("/history/", {"q": "typed"})

    (line,) = caplog.records
    assert (line.levelname, line.method, line.path, line.status) == (
        "INFO",
        "GET",
        "/history/",
        200,
    )
    assert line.getMessage() == f"GET /history/ 200 {line.ms} ms"
    assert "typed" not in repr(vars(line))


def test_the_secret_of_a_link_is_left_out(log_in, caplog):
    person = make_user(permissions.AUDITOR)
    path = links.password_path(person)
    token = path.split("/")[-2]

    Client().get(path)
    log_in(person).get("/account/address/secret/")

    assert [line.path for line in caplog.records] == [
        "/password/<str:uidb64>/<str:token>/",
        "/account/address/<str:token>/",
    ]
    assert token not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("address", "level"),
    [
        ("/sent/{pk}/status/", "DEBUG"),
        ("/healthz", "DEBUG"),
        ("/static/notifications/ui/mark.svg", "DEBUG"),
        ("/sent/{pk}/", "INFO"),
        ("/metrics", "INFO"),  # refused
    ],
)
def test_what_machines_ask_for_all_the_time_is_quiet(log_in, caplog, address, level):
    sent = make_notification(status="completed")
    client = log_in(make_user(permissions.AUDITOR, username="wang"))

    response = client.get(address.format(pk=sent.pk))
    response.close()

    assert [line.levelname for line in caplog.records] == [level], response.status_code


def test_who_was_refused_is_told_by_number(log_in, caplog):
    auditor = make_user(permissions.AUDITOR)
    client = log_in(auditor)

    client.get("/write/")
    client.get("/history/")
    Client(enforce_csrf_checks=True).post("/login/")

    lines = [line for line in caplog.records if line.name == "notifications.requests"]
    fields = [(line.status, vars(line).get("person", "")) for line in lines]
    assert fields == [(403, auditor.pk), (200, ""), (403, None)]


def test_a_refused_host_is_told(caplog):
    Client().get("/login/", headers={"Host": "evil.example"})

    # After Django's own log line with the host.
    assert (caplog.records[-1].levelname, caplog.records[-1].status) == ("INFO", 400)


def test_the_number_of_a_request_is_that_of_its_entries(log_in):
    sender = make_user(permissions.COMMUNITY_MANAGER)
    response = log_in(sender).post("/sending/", {"turn": "off"})

    entry = AuditEntry.objects.get()
    assert response["X-Request-ID"] == str(entry.request_number)
