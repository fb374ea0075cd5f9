"""Two changes of people, roles, passwords and second factors at the same time."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from notifications import permissions
from notifications.access import factors
from notifications.access.proofs import verify_code
from notifications.access.queries import second_factors_of
from notifications.access.services import people, sso_accounts
from notifications.models import AuditEntry
from tests.access.sso.provider import Provider
from tests.edit_forms import form_of, save_form
from tests.factories import PASSWORD, make_app, make_user, prove
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a long enough pass phrase"


def made_from(client, address: str) -> str:
    return form_of(client.get(address))["made_from"].value()


@transaction.atomic
def switch_off(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def errors_of(response) -> list[str]:
    return list(form_of(response).errors)


def test_an_old_form_of_a_person_does_not_give_back_rights(log_in):
    client = log_in(make_user(superuser=True, username="chief"))
    person = make_user(permissions.AUDITOR)
    address = f"/auth/user/{person.pk}/change/"
    values = {
        "username": "lin.mei",
        "first_name": "Mei",
        "is_active": "on",
        "groups": [Group.objects.get(name=permissions.AUDITOR).pk],
        "made_from": made_from(client, address),
    }
    person.groups.clear()
    User.objects.filter(pk=person.pk).update(is_active=False)

    refused = client.post(address, values)

    assert form_of(refused).errors == {
        "groups": [
            "Changed meanwhile from “Auditor” to “–”. Look again; to keep your value, "
            "save once more."
        ],
        "is_active": [
            "Changed meanwhile from “yes” to “no”. Look again; to keep your value, save "
            "once more."
        ],
    }
    person.refresh_from_db()
    assert (person.is_active, person.first_name, person.groups.count()) == (
        False,
        "",
        0,
    )


def test_an_old_form_of_a_role_does_not_give_back_a_permission(log_in):
    client = log_in(make_user(superuser=True, username="chief"))
    role = Group.objects.get(name=permissions.AUDITOR)
    address = f"/auth/group/{role.pk}/change/"
    values = {
        "name": "Auditor",
        "permissions": [row.pk for row in role.permissions.all()],
        "made_from": made_from(client, address),
    }
    role.permissions.clear()

    refused = client.post(address, values)

    assert errors_of(refused) == ["permissions"]
    assert not role.permissions.exists()


def test_a_new_own_password_does_not_undo_a_switch_off(log_in):
    person = make_user()
    client = log_in(person)
    values = {
        "old_password": PASSWORD,
        "new_password1": SECRET,
        "new_password2": SECRET,
    }

    interleave(
        lambda: client.post("/password_change/", values),
        lambda: switch_off(person),
        at="django.contrib.auth.base_user.AbstractBaseUser.set_password",
    )

    person.refresh_from_db()
    assert not person.is_active


def test_a_person_who_was_switched_off_meanwhile_gets_no_new_password(log_in):
    person = make_user()
    client = log_in(person)
    values = {"old_password": PASSWORD, "new_password1": SECRET}

    answer, _switched_off = interleave(
        lambda: client.post("/password_change/", values | {"new_password2": SECRET}),
        lambda: switch_off(person),
        at="django.contrib.auth.base_user.AbstractBaseUser.has_usable_password",
    )

    person.refresh_from_db()
    assert not person.is_active
    # On SQLite the switch-off waits until the password is changed.
    is_first = connection.vendor == "sqlite"
    assert (answer.status_code, person.check_password(SECRET)) == (
        302 if is_first else 403,
        is_first,
    )


def test_recovery_codes_made_twice_are_ten():
    person = make_user()

    first, second = interleave(
        lambda: factors.make_recovery_codes(person),
        lambda: factors.make_recovery_codes(person),
        at="notifications.access.factors.audit_log.write",
    )

    assert len(first) == len(second) == 10
    assert second_factors_of(person).recovery_codes_left == 10
    code = second[0].replace("-", "")
    assert verify_code(person, code).authenticator


def test_a_second_factor_is_removed_while_it_is_replaced():
    person = make_user()
    make_app(person)

    interleave(
        lambda: factors.make_recovery_codes(person),
        lambda: factors.remove_factors(person, "chief"),
        at="notifications.access.factors.audit_log.write",
    )

    assert not Authenticator.objects.exists()


def test_the_entry_of_a_deleted_role_names_all_people_who_lost_it():
    chief, late = make_user(superuser=True, username="chief"), make_user()
    role = Group.objects.create(name="Eyes")

    @transaction.atomic
    def delete() -> None:
        people.delete_role(chief, role.pk)

    _deleted, assigned = interleave(
        delete,
        lambda: late.groups.add(role),
        at="notifications.access.services.people.audit_log.write",
    )

    assert isinstance(assigned, Exception)  # there is no such role any more
    assert AuditEntry.objects.get().detail["people"] == 0


def test_two_people_who_change_each_other_do_not_wait_for_ever():
    one, two = (make_user(superuser=True, username=name) for name in ("one", "two"))

    def change(user: User, other: User) -> int:
        client = Client()
        client.force_login(user)
        prove(client)
        url = f"/auth/user/{other.pk}/change/"
        values = {"username": other.username, "is_active": "on", "is_superuser": "on"}
        return save_form(client, url, values | {"first_name": "Li"}).status_code

    statuses = interleave(
        lambda: change(one, two),
        lambda: change(two, one),
        at="notifications.access.services.people.values_of_person",
    )

    # The second one was logged out by the change of the first.
    assert statuses == (302, 302)
    assert User.objects.filter(first_name="Li").exists()


# --- a role is changed while it is given to a person ---------------------------------------

KEEPERS = "Keepers"


@pytest.fixture
def keeper() -> User:
    """A person whose only role, which single sign-on gives, is to change people and roles."""
    role = Group.objects.create(name=KEEPERS)
    names = ["auth.view_user", "auth.add_user", "auth.change_user", "auth.change_group"]
    role.permissions.set(permissions.permission_rows(names))
    person = make_user(username="keeper")
    person.groups.add(role)
    SocialAccount.objects.create(user=person, provider="corp", uid="https://id 8d2c")
    return person


def change_role() -> int:
    """By a superuser: locks the role, then its people."""
    client = Client()
    client.force_login(User.objects.get(is_superuser=True))
    prove(client)
    role = Group.objects.get(name=KEEPERS)
    url = f"/auth/group/{role.pk}/change/"
    rows = permissions.permission_rows(["auth.change_user"])
    values = {"name": KEEPERS, "permissions": [row.pk for row in rows]}
    return save_form(client, url, values).status_code


@pytest.mark.parametrize("is_new", [True, False])
def test_a_role_is_changed_while_one_of_its_people_gives_it(keeper, is_new):
    make_user(superuser=True, username="chief")
    other = make_user(username="other")

    def give_role() -> int:
        client = Client()
        client.force_login(keeper)
        prove(client)
        role = Group.objects.get(name=KEEPERS).pk
        values = {"groups": [role], "is_active": "on"}
        if is_new:
            values |= {"username": "new", "email": "new@example.com"}
            return client.post("/auth/user/add/", values).status_code
        url = f"/auth/user/{other.pk}/change/"
        return save_form(client, url, values | {"username": "other"}).status_code

    statuses = interleave(
        give_role,
        change_role,
        at="notifications.access.services.people.permissions.require",
    )

    # A new person's link is shown at once.
    assert statuses == (200 if is_new else 302, 302)
    assert User.objects.filter(groups__name=KEEPERS).count() == 2


def test_a_role_is_changed_while_single_sign_on_gives_another_one(keeper):
    """``keeper`` changes the second role, and logs in again meanwhile."""
    make_user(superuser=True, username="chief")
    options = Provider.app_of("https://id")["settings"]
    options["roles"] = [("keepers", KEEPERS), ("eyes", "Eyes")]
    app = SocialApp(provider_id="corp", settings=options)
    eyes = Group.objects.create(name="Eyes")

    def change_eyes() -> None:
        with transaction.atomic():
            before = people.begin_role(keeper, "auth.change_group", eyes.pk)
            eyes.permissions.set(permissions.permission_rows([permissions.SEND]))
            people.record_role(keeper, eyes.pk, before)

    person, changed = interleave(
        lambda: sso_accounts.log_in(
            app, {"sub": "8d2c", "groups": ["keepers", "eyes"]}
        ),
        change_eyes,
        at="notifications.access.services.sso_accounts.people.values_of_person",
    )

    assert (person.pk, changed) == (keeper.pk, None)
    assert set(keeper.groups.values_list("name", flat=True)) == {KEEPERS, "Eyes"}
