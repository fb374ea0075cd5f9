"""The first login by single sign-on, twice at once."""

import pytest
from allauth.socialaccount.models import SocialApp
from django.contrib.auth.models import User
from django.db import IntegrityError

from notifications.access.services import sso_accounts
from tests.access.sso.provider import Provider
from tests.interleaving import interleave

ISSUER = "https://id.example.com"
APP = SocialApp(provider_id="corp", settings=Provider.app_of(ISSUER)["settings"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "at",
    [
        "notifications.access.services.sso_accounts._create_person",
        "django.contrib.auth.models.UserManager.create_user",
    ],
)
def test_two_first_logins_at_once(at):
    claims = {"sub": "00u-mei", "preferred_username": "mei"}

    def log_in() -> int:
        return sso_accounts.log_in(APP, claims).pk

    one, two = interleave(log_in, log_in, at=at)

    assert one == two == User.objects.get(username="mei").pk


@pytest.mark.django_db
def test_another_violated_constraint_is_not_taken_for_a_login_at_once(monkeypatch):
    def broken(*_arguments):
        raise IntegrityError("another one")

    monkeypatch.setattr(sso_accounts, "_create_person", broken)

    with pytest.raises(IntegrityError, match="another one"):
        sso_accounts.log_in(APP, {"sub": "00u-mei"})
