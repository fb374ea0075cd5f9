"""Links for a password: invitation, forgotten password, and what makes a link invalid."""

import re
from datetime import datetime, timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.db import connection
from django.test import Client

from notifications import permissions
from notifications.access.services import links
from notifications.models import Approval, AuditEntry, LoginSession
from tests.factories import PASSWORD, make_app, make_user
from tests.interleaving import interleave

SECRET = "a long enough pass phrase"
INVALID = "This link is invalid, was used, or is too old."

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return make_user(permissions.PEOPLE_ADMINISTRATOR, username="administrator")


@pytest.fixture
def inside(log_in, administrator) -> Client:
    return log_in(administrator)


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    """``with commits():`` runs what a transaction does after its commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def link_in(text: str) -> str:
    """The path of the link in a mail or on a page."""
    (path,) = set(re.findall(r"http://testserver(/\S+/\S+/)", text))
    return path


def set_password(client: Client, path: str, password: str = SECRET):
    page = client.get(path, follow=True)
    values = {"new_password1": password, "new_password2": password}
    return page, client.post(page.request["PATH_INFO"], values, follow=True)


def words() -> list[tuple[str, str, dict]]:
    return list(
        AuditEntry.objects.order_by("id").values_list("action", "actor", "detail")
    )


def test_an_invitation_by_a_link_to_copy(inside, settings):
    role = Group.objects.get(name=permissions.COMMUNITY_MANAGER)

    shown = inside.post(
        "/auth/user/add/", {"username": "wang.fang", "groups": [role.pk]}
    )
    person = User.objects.get(username="wang.fang")
    assert not person.has_usable_password()
    settings.SECOND_FACTOR = "everybody"
    client = Client()
    page, done = set_password(client, link_in(shown.text))
    login = client.post("/login/", {"login": "wang.fang", "password": SECRET})

    assert "Your username is wang.fang." in page.text
    assert "Your password is set. Log in with it." in done.text
    assert login["Location"] == "/login/set-up/"  # the second factor comes next
    assert words()[1:3] == [
        ("link_made", "administrator", {"person": "wang.fang", "way": "shown"}),
        ("password_changed", "wang.fang", {"person": "wang.fang", "by": "link"}),
    ]
    assert not Approval.objects.exists()


def test_an_invitation_by_mail_is_seen_by_the_person_only(inside, has_mail, commits):
    values = {"username": "wang.fang", "email": "fang@example.com"}

    with commits():
        answer = inside.post("/auth/user/add/", values, follow=True)

    (sent,) = mail.outbox
    assert sent.to == ["fang@example.com"]
    assert "You are invited" in sent.body
    assert "wang.fang" in sent.body
    path = link_in(sent.body)
    assert path not in answer.text
    set_password(Client(), path)
    assert User.objects.get(username="wang.fang").check_password(SECRET)


def test_a_link_counts_once(administrator):
    person = make_user()
    path = links.password_path(person)
    other = Client()
    waiting = other.get(path, follow=True).request["PATH_INFO"]

    set_password(Client(), path)
    again, _done = set_password(Client(), path, "another long pass phrase")
    values = dict.fromkeys(("new_password1", "new_password2"), "another long phrase")
    late = other.post(waiting, values)

    assert INVALID in again.text
    assert INVALID in late.text
    person.refresh_from_db()
    assert person.check_password(SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"email": "new@example.com"},
        {"is_active": False},
        {"is_staff": False},
        {"password": "!new"},
        {"last_login": datetime(2026, 1, 1)},  # noqa: DTZ001  any other value
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:DateTimeField")
def test_what_makes_a_link_invalid(change):
    person = make_user()
    path = links.password_path(person)
    User.objects.filter(pk=person.pk).update(**change)

    page = Client().get(path, follow=True)

    assert INVALID in page.text


def test_a_link_expires_after_a_day(monkeypatch):
    path = links.password_path(make_user())
    late = datetime.now() + timedelta(hours=24, seconds=2)  # noqa: DTZ005  as Django
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: late)

    assert INVALID in Client().get(path, follow=True).text


def test_a_link_of_another_person_or_a_changed_one():
    one, other = make_user(), make_user(username="other")
    path = links.password_path(one)
    theirs = links.password_path(other)
    mixed = "/".join([*theirs.split("/")[:3], *path.split("/")[3:]])

    for wrong in (mixed, path[:-2] + "/", "/password/MQ/x/", "/password/%00/x/"):
        assert INVALID in Client().get(wrong, follow=True).text


def test_who_logs_in_by_single_sign_on_gets_none(inside, has_mail, commits):
    person = make_user(email="mei@example.com")
    path = links.password_path(person)
    SocialAccount.objects.create(user=person, provider="corp", uid="x y")

    refused = inside.post(f"/people/{person.pk}/link/", follow=True)
    with commits():
        Client().post("/login/forgotten/", {"email": "mei@example.com"})

    assert "logs in by single sign-on" in refused.text
    assert mail.outbox == []
    assert INVALID in Client().get(path, follow=True).text


def test_a_weak_password_is_refused_and_the_link_stays_valid():
    path = links.password_path(make_user())
    client = Client()

    _page, weak = set_password(client, path, "short")
    _page, good = set_password(client, path)

    assert "too short" in weak.text
    assert "Your password is set" in good.text


def test_the_second_factor_stays_and_sessions_end():
    app = make_app(make_user())
    old = Client()
    old.force_login(app.user)

    set_password(Client(), links.password_path(app.user))

    assert old.get("/account/").status_code == 302
    login = Client().post("/login/", {"login": "lin.mei", "password": SECRET})
    assert login["Location"] == "/login/code/"


# --- forgotten ---------------------------------------------------------------------------


def test_a_forgotten_password(has_mail, commits):
    make_user(email="Mei@example.com")
    client = Client()

    with commits():
        client.post("/login/forgotten/", {"email": "mei@example.com"})

    (sent,) = mail.outbox
    set_password(client, link_in(sent.body))
    assert (
        client.post("/login/", {"login": "lin.mei", "password": SECRET}).status_code
        == 302
    )
    assert words()[0] == (
        "link_made",
        "(unknown name)",
        {"person": "lin.mei", "way": "mail"},
    )


def test_the_answer_is_the_same_for_an_unknown_address(has_mail, commits):
    make_user(email="mei@example.com")
    make_user(username="off", email="off@example.com", is_active=False)
    answers = []
    for address in ("mei@example.com", "off@example.com", "no@example.com"):
        client = Client()
        with commits():
            answer = client.post("/login/forgotten/", {"email": address}, follow=True)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text)
        answers.append((answer.status_code, answer.redirect_chain, text))

    assert answers[0] == answers[1] == answers[2]
    assert len(mail.outbox) == 1
    assert not LoginSession.objects.exists()


def test_an_address_gets_one_mail_in_five_minutes(has_mail, commits):
    make_user(email="mei@example.com")

    for _n in range(3):
        with commits():
            Client().post("/login/forgotten/", {"email": "mei@example.com"})

    assert len(mail.outbox) == 1


def test_without_mail_the_page_names_the_administrator(commits):
    make_user(email="mei@example.com")
    client = Client()

    page = client.get("/login/forgotten/")
    client.post("/login/forgotten/", {"email": "mei@example.com"})

    assert "Ask an administrator of people" in page.text
    assert not AuditEntry.objects.exists()


# --- by an administrator ----------------------------------------------------------------


def test_a_person_who_was_here_gets_a_shown_link_with_a_second_administrator_only(
    inside, administrator, log_in
):
    person = make_user(permissions.COMMUNITY_MANAGER)
    second = make_user(permissions.PEOPLE_ADMINISTRATOR, username="second")

    asked = inside.post(f"/people/{person.pk}/link/", {"reason": "Ill"}, follow=True)
    row = Approval.objects.get()
    refused = inside.post(f"/people/requests/{row.pk}/approve/")
    shown = log_in(second).post(f"/people/requests/{row.pk}/approve/")

    assert "A second administrator must approve this" in asked.text
    assert "http://testserver/password/" not in asked.text
    assert refused.status_code == 403
    set_password(Client(), link_in(shown.text))
    person.refresh_from_db()
    assert person.check_password(SECRET)


def test_with_mail_the_link_goes_to_the_person_without_a_second_administrator(
    inside, has_mail, commits
):
    person = make_user(permissions.COMMUNITY_MANAGER, email="mei@example.com")
    make_user(permissions.PEOPLE_ADMINISTRATOR, username="second")

    with commits():
        answer = inside.post(f"/people/{person.pk}/link/", follow=True)

    assert "A link was sent to mei@example.com" in answer.text
    (sent,) = mail.outbox
    assert link_in(sent.body) not in answer.text
    person.refresh_from_db()
    assert person.check_password(PASSWORD)  # until the link is used


def test_who_makes_no_link(log_in, administrator):
    chief = make_user(superuser=True, username="chief")
    auditor = make_user(permissions.AUDITOR, username="auditor")
    for user, person in (
        (administrator, chief),
        (administrator, administrator),
        (auditor, administrator),
    ):
        client = log_in(user)
        for method in ("GET", "POST"):
            answer = client.generic(method, f"/people/{person.pk}/link/")
            assert answer.status_code == 403, (user, person)
    assert not AuditEntry.objects.exists()


def test_no_page_sets_the_password_of_another_person(inside):
    person = make_user()
    values = dict.fromkeys(("password1", "password2"), SECRET)

    for pk in (str(person.pk), f"0{person.pk}", f"%20{person.pk}"):
        inside.post(f"/auth/user/{pk}/password/", values)
        inside.post(f"/auth/user/{pk}/change/", values | {"username": "lin.mei"})

    person.refresh_from_db()
    assert person.check_password(PASSWORD)


# --- at the same time -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_uses_of_a_link_at_once():
    person = make_user()
    path = links.password_path(person)
    clients = [Client(), Client()]
    pages = [client.get(path, follow=True).request["PATH_INFO"] for client in clients]

    def use(n: int):
        password = f"{SECRET} {n}"
        values = {"new_password1": password, "new_password2": password}
        return clients[n].post(pages[n], values)

    one, two = interleave(
        lambda: use(0),
        lambda: use(1),
        at="django.contrib.auth.base_user.AbstractBaseUser.set_password",
    )

    assert (one.status_code, two.status_code) == (302, 200)
    person.refresh_from_db()
    assert person.check_password(SECRET + " 0")


@pytest.mark.django_db(transaction=True)
def test_a_link_does_not_undo_a_switch_off():
    person = make_user()
    client = Client()
    page = client.get(links.password_path(person), follow=True).request["PATH_INFO"]
    values = {"new_password1": SECRET, "new_password2": SECRET}

    interleave(
        lambda: client.post(page, values),
        lambda: User.objects.filter(pk=person.pk).update(is_active=False),
        at="django.contrib.auth.base_user.AbstractBaseUser.set_password",
    )

    person.refresh_from_db()
    assert not person.is_active
    assert connection.vendor == "sqlite" or person.check_password(SECRET)
