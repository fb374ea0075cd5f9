"""Changes of a person that need a second administrator, and their alerts."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client

from notifications import permissions
from notifications.access.queries import has_factor
from notifications.access.services import protected_changes
from notifications.models import Approval, AuditEntry
from tests.edit_forms import save_form
from tests.factories import PASSWORD, make_app, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrators():
    return [
        make_user(permissions.PEOPLE_ADMINISTRATOR, username=name)
        for name in ("first", "second")
    ]


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER, email="mei@example.com")


def save_address(client: Client, person: User, email: str):
    groups = list(person.groups.values_list("pk", flat=True))
    values = {"username": person.username, "is_active": "on", "groups": groups}
    url = f"/auth/user/{person.pk}/change/"
    return save_form(client, url, values | {"email": email}, follow=True)


def address_of(person: User) -> str:
    return User.objects.get(pk=person.pk).email


def test_a_new_address_counts_when_it_is_approved(log_in, administrators, manager):
    first, second = map(log_in, administrators)

    answer = save_address(first, manager, "other@example.com")
    asked = Approval.objects.get()
    own = first.post(f"/people/requests/{asked.pk}/approve/")
    assert "counts when a second administrator approves it" in answer.text
    assert (own.status_code, address_of(manager)) == (403, "mei@example.com")
    second.post(f"/people/requests/{asked.pk}/approve/")

    assert address_of(manager) == "other@example.com"
    entry = AuditEntry.objects.get(action="person_changed")
    assert (entry.actor, entry.detail["after"]) == (
        "second",
        {"email": "other@example.com"},
    )


def test_an_address_that_changed_meanwhile_is_not_overwritten(
    log_in, administrators, manager
):
    first, second = map(log_in, administrators)
    save_address(first, manager, "other@example.com")
    User.objects.filter(pk=manager.pk).update(email="third@example.com")

    second.post(f"/people/requests/{Approval.objects.get().pk}/approve/")

    assert address_of(manager) == "third@example.com"
    assert Approval.objects.get().status == "pending"


def test_the_old_address_is_informed(
    log_in, manager, has_mail, django_capture_on_commit_callbacks
):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR, username="first"))

    with django_capture_on_commit_callbacks(execute=True):
        save_address(client, manager, "other@example.com")

    assert (
        address_of(manager) == "other@example.com"
    )  # there is no second administrator
    assert [sent.to for sent in mail.outbox] == [["mei@example.com"]]


def test_the_same_for_who_may_not_send_now(log_in, administrators):
    """Otherwise the role could be taken away, and given back afterwards."""
    person = make_user(email="mei@example.com")

    save_address(log_in(administrators[0]), person, "other@example.com")

    assert address_of(person) == "mei@example.com"


def test_the_alert_is_on_the_page_and_at_the_next_login(
    log_in, administrators, manager
):
    make_app(manager)
    first, second = map(log_in, administrators)
    first.post(f"/people/{manager.pk}/log-out/")
    first.post(f"/auth/user/{manager.pk}/second-factor/", {"reason": "Phone lost"})
    asked = Approval.objects.get()

    page = second.get(f"/auth/user/{manager.pk}/change/").text
    listed = second.get("/auth/user/").text
    assert "Remove the second factor" in page
    assert f"/people/requests/{asked.pk}/approve/" in page
    assert "Phone lost" in page
    assert "first asks for a second administrator, for lin.mei." in listed
    assert f"/people/requests/{asked.pk}/approve/" not in (
        first.get(f"/auth/user/{manager.pk}/change/").text
    )

    second.post(f"/people/requests/{asked.pk}/approve/")

    assert not has_factor(manager)
    assert (
        "Changes of this login" in second.get(f"/auth/user/{manager.pk}/change/").text
    )
    client = Client()
    fields = {"login": "lin.mei", "password": PASSWORD}
    told = client.post("/login/", fields, follow=True)
    assert "This login was changed by first" in told.text
    again = Client().post("/login/", fields, follow=True)
    assert "This login was changed" not in again.text


def test_a_request_is_cancelled_on_the_page(log_in, administrators, manager):
    make_app(manager)
    first, _second = map(log_in, administrators)
    first.post(f"/auth/user/{manager.pk}/second-factor/")
    asked = Approval.objects.get()

    answer = first.post(f"/people/requests/{asked.pk}/cancel/", follow=True)

    assert "The request is cancelled." in answer.text
    assert has_factor(manager)


def test_who_may_not_change_people_decides_nothing(log_in, administrators, manager):
    make_app(manager)
    log_in(administrators[0]).post(f"/auth/user/{manager.pk}/second-factor/")
    asked = Approval.objects.get()

    for user in (manager, make_user(permissions.AUDITOR, username="auditor")):
        for what in ("approve", "cancel"):
            answer = log_in(user).post(f"/people/requests/{asked.pk}/{what}/")
            assert answer.status_code == 403

    assert has_factor(manager)
    assert Approval.objects.get().status == "pending"


def test_the_own_address_is_not_changed_on_the_page_of_people(log_in):
    chief = make_user(superuser=True, username="chief", email="chief@example.com")
    client = log_in(chief)
    url = f"/auth/user/{chief.pk}/change/"

    save_form(
        client,
        url,
        {
            "username": "chief",
            "is_active": "on",
            "is_superuser": "on",
            "email": "other@example.com",
        },
    )

    assert address_of(chief) == "chief@example.com"


def test_one_administrator_cannot_send_as_a_manager(log_in, administrators, manager):
    """The break-in: new password, no second factor, login as the manager."""
    app = make_app(manager)
    attacker = log_in(administrators[0])

    for url in (
        f"/auth/user/{manager.pk}/second-factor/",
        f"/people/{manager.pk}/link/",
        f"/auth/user/{manager.pk}/password/",
    ):
        attacker.post(url, {"password1": "x" * 20, "password2": "x" * 20})
    save_address(attacker, manager, "attacker@example.com")
    for row in Approval.objects.all():
        attacker.post(f"/people/requests/{row.pk}/approve/")

    stored = User.objects.get(pk=manager.pk)
    assert stored.check_password(PASSWORD)
    assert stored.email == "mei@example.com"
    assert has_factor(app.user)
    assert not Approval.objects.exclude(status="pending").exists()


def test_no_factor_of_a_superuser_by_a_people_administrator(administrators):
    chief = make_user(superuser=True, username="chief")
    make_app(chief)

    with pytest.raises(PermissionDenied):
        protected_changes.reset_factors(administrators[0], chief)
