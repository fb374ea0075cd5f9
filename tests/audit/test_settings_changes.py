"""Settings in the audit trail: all of them once, then the changes; never a secret."""

import re

import pytest

from notifications.audit.settings_changes import (
    application_since,
    present_settings,
    record_settings,
)
from notifications.models import AuditEntry
from tests.environment import SECRET_KEY
from tests.factories import make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db


def seen() -> list[dict]:
    record_settings("send_worker (li)")
    entries = AuditEntry.objects.filter(
        action="settings_changed", actor="send_worker (li)"
    )
    return [entry.detail for entry in entries.order_by("id")]


def test_the_first_start_writes_all_of_them_and_the_next_nothing():
    first = seen()

    assert seen() == first
    (detail,) = first
    assert detail["before"] == {}
    assert detail["after"] == detail["now"] == present_settings()
    assert detail["now"]["IM_REGION"] == "china"


def test_later_only_what_changed(settings):
    seen()
    settings.IM_REGION = "seoul"
    settings.IM_CALLS_PER_SECOND = 100

    second = seen()[-1]

    assert (second["before"], second["after"]) == (
        {"IM_REGION": "china", "IM_CALLS_PER_SECOND": 200},
        {"IM_REGION": "seoul", "IM_CALLS_PER_SECOND": 100},
    )
    settings.IM_REGION = "china"
    assert seen()[-1]["after"] == {"IM_REGION": "china"}


def test_a_setting_of_a_newer_version_is_a_change(settings):
    old = present_settings()
    del old["TRUSTED_PROXIES"]
    AuditEntry.objects.create(
        action="settings_changed", actor="worker", detail={"now": old}
    )

    assert [(d["before"], d["after"]) for d in seen()] == [
        ({"TRUSTED_PROXIES": None}, {"TRUSTED_PROXIES": 0})
    ]


def test_an_entry_without_settings_is_no_change_of_the_application(settings):
    settings.IM_REGION = "seoul"
    seen()
    settings.IM_REGION = "china"
    seen()
    changed_at = AuditEntry.objects.latest("id").at
    AuditEntry.objects.create(action="settings_changed", actor="script", detail={})

    assert application_since() == changed_at
    assert seen()[-1]["now"] == present_settings()
    assert application_since() == changed_at


def test_another_key_is_seen_but_not_shown(settings):
    keys = [SECRET_KEY, "f" * 64]
    for settings.IM_SECRET_KEY in keys:
        seen()

    last = seen()[-1]

    assert list(last["after"]) == ["IM_SECRET_KEY"]
    assert last["after"]["IM_SECRET_KEY"].startswith("fingerprint ")
    assert last["before"] != last["after"]
    for detail in seen():
        assert not any(key in str(detail) for key in keys)


def test_the_fingerprint_depends_on_the_secret_of_the_installation(settings):
    one = present_settings()["IM_SECRET_KEY"]
    settings.SECRET_KEY = "another one"

    assert present_settings()["IM_SECRET_KEY"] != one


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("http://proxy:8080", "http://proxy:8080"),
        ("http://li:pa@ss@proxy:8080", r"http://fingerprint [0-9a-f]{16}@proxy:8080"),
    ],
)
def test_a_password_in_an_address_is_not_shown(settings, url, shown):
    settings.IM_PROXY_URL = url

    value = present_settings()["IM_PROXY_URL"]

    assert re.fullmatch(shown, value)


def test_a_run_of_a_command_has_one_number_and_no_address(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("group_id,type,name\nhikers,Public,Hikers\n")
    make_user(superuser=True, first_name="Mei")

    assert run("import_chat_groups", str(path))[0] == 0
    assert run(
        "send_notification", "--as", "lin.mei", "--all", "--content", "Hi"
    )[0] == 0  # fmt: skip

    imported, saved, sent = AuditEntry.objects.order_by("id")
    assert saved.request_number == sent.request_number is not None
    assert imported.request_number not in (None, sent.request_number)
    assert (imported.actor_name, sent.actor_name) == ("", "Mei")
    assert (sent.by_superuser, sent.address) == (True, "")
