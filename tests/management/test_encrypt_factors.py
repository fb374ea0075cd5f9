"""``encrypt_factors``: a new SECRET_KEY, and the refusal with exit code 2."""

import pytest
from allauth.mfa.utils import decrypt

from tests.factories import make_app, make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db


def test_it_encrypts_with_the_present_key(settings):
    app = make_app(make_user())
    secret, old = decrypt(app.data["secret"]), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, [old]

    assert run("encrypt_factors") == (0, "encrypted=1\n", "")
    settings.SECRET_KEY_FALLBACKS = []
    app.refresh_from_db()
    assert decrypt(app.data["secret"]) == secret


def test_without_the_former_key_it_changes_nothing(settings):
    app = make_app(make_user())
    settings.SECRET_KEY = "another" * 9

    code, out, error = run("encrypt_factors")

    assert (code, out) == (2, "")
    assert "not in SECRET_KEY_PREVIOUS" in error
    before = app.data
    app.refresh_from_db()
    assert app.data == before
