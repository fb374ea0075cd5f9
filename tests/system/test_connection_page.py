"""The page of the connection check."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from notifications import permissions
from notifications.delivery import requests
from notifications.management.commands.send_worker import HANDLERS
from notifications.models import AuditEntry, Notification, WorkerRequest
from notifications.models.worker_requests import VALID_FOR
from notifications.system import connection_presentation, views
from notifications.system.connection import CheckStep, StepResult, StepState
from notifications.system.connection_check import check_connection_by
from tests.environment import SECRET_KEY
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

QUERIES = 11


@pytest.fixture
def user():
    return make_user(permissions.SYSTEM_ADMINISTRATOR)


@pytest.fixture
def client(log_in, user):
    return log_in(user)


def may_send(user):
    user.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))


def shown(client) -> str:
    response = client.get(reverse("admin:connection"))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def check(client):
    response = client.post(reverse("admin:connection"))
    assert (response.status_code, response["Location"]) == (302, "/system/connection/")
    requests.answer_waiting(HANDLERS)


def test_before_the_first_check(client, sandbox):
    page = shown(client)

    assert "Check the connection</button>" in page
    assert "Last checked" not in page
    assert page.count("<table") == 1  # of the capabilities
    assert '<details class="card hints"> <summary>' in page  # closed
    assert "Wrong region" in page
    assert sandbox.calls.codes("account_check") == []


def test_a_check_is_shown_to_everybody_who_comes_later(client, user, sandbox, log_in):
    may_send(user)
    check(client)

    page = shown(client)
    assert "The connection works." in page
    assert page.count("s-passed") == 9
    assert "Last checked by lin.mei" in page
    assert "1400000000 is known there." in page
    assert "Send the test notice</button>" in page
    other = log_in(make_user(permissions.SYSTEM_ADMINISTRATOR, username="wang"))
    page = shown(other)
    assert "Last checked by lin.mei" in page
    assert "Send the test notice" not in page  # may not send
    assert sandbox.calls.codes("account_check") == [0]


def test_a_failure_says_what_to_do(client, user, sandbox, settings):
    may_send(user)
    settings.IM_SECRET_KEY = "b" + "0" * 63

    check(client)

    page = shown(client)
    assert "The connection does not work." in page
    assert "The secret key does not belong to this app. (70009)" in page
    assert "Copy the key from the page of this very application" in page
    assert "usersig does not match the key" in page
    assert "<b>" not in page
    assert page.count("s-failed") == 1
    assert "Send the test notice" not in page


def test_a_second_press_is_refused_in_words(client, sandbox):
    check(client)
    check(client)

    assert "The connection was checked a moment ago." in shown(client)


def test_the_page_waits_until_the_worker_has_answered(
    client, sandbox, settings, monkeypatch
):
    settings.IM_SECRET_KEY = ""  # of the pages
    monkeypatch.setattr(views, "has_live_worker", lambda: True)
    for _press in range(2):
        client.post(reverse("admin:connection"))

    page = shown(client)
    assert 'data-url="/system/connection/status/"' in page
    assert "Asked. The worker is checking" in page
    assert '<a href="/system/connection/">Show the result</a>' in page
    status = client.get(reverse("admin:connection_status"))
    assert "Asked." in status.content.decode()
    assert "X-Done" not in status
    assert "Check the connection</button>" not in page
    assert WorkerRequest.objects.count() == 1
    settings.IM_SECRET_KEY = SECRET_KEY
    requests.answer_waiting(HANDLERS)
    assert client.get(reverse("admin:connection_status"))["X-Done"] == "1"
    page = shown(client)
    assert "The connection works." in page
    assert "data-url" not in page


def test_without_a_worker_the_page_says_so_and_the_request_expires(client, sandbox):
    client.post(reverse("admin:connection"))
    assert "Asked, but no worker is running." in shown(client)

    WorkerRequest.objects.update(created_at=timezone.now() - VALID_FOR)

    requests.answer_waiting(HANDLERS)
    assert sandbox.calls.codes("account_check") == []
    page = shown(client)
    assert "The worker did not answer within a minute." in page
    assert "Check the connection</button>" in page


def test_the_worker_checks_the_permission_again(client, user, sandbox):
    client.post(reverse("admin:connection"))
    user.groups.clear()

    requests.answer_waiting(HANDLERS)

    assert list(WorkerRequest.objects.get().answer) == [requests.REFUSED]
    assert sandbox.calls.codes("account_check") == []


def test_an_unexpected_error_is_an_answer_as_well(client, monkeypatch):
    client.post(reverse("admin:connection"))

    def fail(*_args):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        requests.answer_waiting({WorkerRequest.Kind.CONNECTION: fail})

    requests.answer_waiting(HANDLERS)  # not tried again
    assert "The check ended with an error." in shown(client)


def test_looking_takes_few_queries_and_writes_nothing(client, sandbox):
    check_connection_by("operator")

    with CaptureQueriesContext(connection) as queries:
        shown(client)

    assert len(queries) <= QUERIES
    assert AuditEntry.objects.count() == 1


def test_the_test_notice_leads_to_its_progress(client, user):
    may_send(user)
    make_group(group_id="hikers")

    response = client.post(reverse("admin:connection_notice"), {"group": " hikers "})

    sent = Notification.objects.get()
    assert response["Location"] == sent.get_absolute_url()
    assert sent.content.startswith("[Test]")


def test_a_test_notice_to_no_group_leads_back(client, user):
    may_send(user)

    response = client.post(reverse("admin:connection_notice"), {"group": "ghost"})

    assert response["Location"] == "/system/connection/"
    assert "ghost" in shown(client)
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    "role",
    [
        permissions.SYSTEM_ADMINISTRATOR,
        permissions.COMMUNITY_MANAGER,
        permissions.AUDITOR,
    ],
)
def test_the_test_notice_needs_both_permissions(log_in, role):
    make_group(group_id="hikers")
    client = log_in(make_user(role, username="somebody"))

    response = client.post(reverse("admin:connection_notice"), {"group": "hikers"})

    assert response.status_code == 403
    assert not Notification.objects.exists()


VALUES = {
    "host": "h", "port": 1, "addresses": "a", "status": 407, "milliseconds": 1,
    "seconds": 1, "app": "1", "account": "a", "problems": ["p"],
}  # fmt: skip


@pytest.mark.parametrize("finding", connection_presentation.FINDINGS)
def test_every_finding_is_a_sentence(finding):
    line = connection_presentation.line(
        StepResult(CheckStep.HOST, StepState.FAILED, finding, VALUES)
    )

    assert line.finding.endswith(".")
    assert not line.remedy or line.remedy.endswith(".")


def test_the_hints_are_in_the_readers_language():
    with translation.override("zh-hans"):
        assert connection_presentation.first_hour()[0].name == "地域错误"
