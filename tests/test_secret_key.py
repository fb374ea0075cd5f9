"""A new SECRET_KEY: sessions stay valid while the former key is a fallback."""

import pytest

from notifications import permissions
from tests.factories import make_user
from tests.test_settings import settings_of

pytestmark = pytest.mark.django_db
NEW = "new-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2


def test_a_login_outlives_the_key_that_it_was_made_with(settings, log_in):
    client, away = (log_in(make_user(permissions.AUDITOR, username=n)) for n in "ab")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW

    assert client.get("/").status_code == 200

    # Sessions used meanwhile are signed with the new key; the others have ended.
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/").status_code == 200
    assert away.get("/").status_code == 302


def test_several_former_keys_may_stand_in_a_file(tmp_path):
    path = tmp_path / "former"
    path.write_text(f"{NEW},older\n")
    variables = {
        "SECRET_KEY": "x" * 60,
        "SECRET_KEY_PREVIOUS_FILE": str(path),
        "STATE_DIR": str(tmp_path),
    }

    assert settings_of(variables, "SECRET_KEY_FALLBACKS") == [[NEW, "older"]]
