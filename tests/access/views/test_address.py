"""The own address of mail, changed by a link to the new one."""

import builtins

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from notifications import permissions
from notifications.access.services import links
from notifications.models import AuditEntry
from tests.access.views.test_passwords import link_in
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OWN = "/account/address/"


@pytest.fixture
def commits(django_capture_on_commit_callbacks, has_mail):
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def person():
    return make_user(permissions.COMMUNITY_MANAGER, email="old@example.com")


def address() -> str:
    return User.objects.get(username="lin.mei").email


def ask(client: Client, commits, new: str = "new@example.com") -> str:
    with commits():
        client.post(OWN, {"email": new})
    sent = mail.outbox[-1]
    assert sent.to == [new]
    return link_in(sent.body)


def test_the_link_confirms_it_and_the_old_one_is_informed(log_in, person, commits):
    client = log_in(person)

    path = ask(client, commits)
    page = client.get(path)
    assert ("new@example.com" in page.text, address()) == (True, "old@example.com")
    with commits():
        client.post(path)

    assert address() == "new@example.com"
    assert mail.outbox[-1].to == ["old@example.com"]
    assert "new@example.com" not in mail.outbox[-1].body
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("person_changed", "lin.mei")
    again = client.post(path, follow=True)
    assert "This link is invalid, was used, or is too old." in again.text


def test_only_in_the_session_of_the_person(log_in, person, commits):
    path = ask(log_in(person), commits)
    other = log_in(make_user(username="other", email="old@example.com"))

    for client in (other, Client()):
        client.get(path)
        client.post(path)

    assert address() == "old@example.com"
    assert User.objects.get(username="other").email == "old@example.com"


def test_an_older_link_after_another_change(log_in, person, commits):
    client = log_in(person)
    first = ask(client, commits, "first@example.com")
    second = ask(client, commits, "second@example.com")

    client.post(second)
    client.post(first)

    assert address() == "second@example.com"


def test_asking_needs_a_recent_proof(person, commits):
    client = Client()
    client.force_login(person)

    asked = client.post(OWN, {"email": "new@example.com"})
    assert mail.outbox == []
    with commits():
        client.post(asked["Location"], {"password": PASSWORD})

    assert [sent.to for sent in mail.outbox] == [["new@example.com"]]


def test_without_mail_or_a_password_there_is_no_link(log_in, person):
    client = log_in(person)
    assert "sends no mail" in client.get(OWN).text
    client.post(OWN, {"email": "new@example.com"})
    person.set_unusable_password()
    person.save()
    client = log_in(person)

    assert client.get(OWN).status_code == 403
    assert client.post(OWN, {"email": "new@example.com"}).status_code == 403
    assert mail.outbox == []


@pytest.mark.parametrize("new", ["", "x", "a@b\r\nBcc: c@example.com"])
def test_what_is_no_address(log_in, person, commits, new):
    with commits():
        answer = log_in(person).post(OWN, {"email": new})

    assert answer.context["form"].errors
    assert mail.outbox == []


@pytest.mark.parametrize("error", ["ConnectionRefusedError", "ValueError"])
def test_a_mail_that_cannot_be_sent_is_logged_without_its_text(
    log_in, person, commits, monkeypatch, caplog, error
):
    def refuse(*_arguments: object) -> None:
        raise getattr(builtins, error)("new@example.com")

    monkeypatch.setattr(links, "send_mail", refuse)
    with commits():
        log_in(person).post(OWN, {"email": "new@example.com"})

    assert f"A mail could not be sent: {error}." in caplog.text
    assert "new@example.com" not in caplog.text
