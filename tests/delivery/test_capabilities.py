"""What the console offers after the last probe."""

import pytest

from notifications.delivery import capabilities
from notifications.delivery.channels import WRITABLE
from notifications.models import Capability
from tests.factories import make_capability

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOTICE, MESSAGE = WRITABLE.values()


def offered() -> list[str]:
    return [channel.word.value for channel in capabilities.offered_channels()]


def test_both_channels_are_offered_before_a_probe():
    assert offered() == ["system_notification", "group_message"]
    assert capabilities.refusals() == {}


def test_only_no_removes_a_channel():
    make_capability("system_notification", "no", error_code=10026)
    make_capability("group_message", "unknown")

    assert offered() == ["group_message"]
    assert capabilities.why_not(NOTICE) == (
        "System notification: not offered, because the application may not send it "
        "(code 10026, probed on 2026-03-02)."
    )
    assert capabilities.why_not(MESSAGE) == ""


def test_the_answers_of_another_application_do_not_count(settings):
    make_capability("system_notification", "no")
    settings.IM_SDK_APP_ID = "1400009999"
    assert len(offered()) == 2

    settings.IM_SDK_APP_ID = ""
    assert len(offered()) == 2


@pytest.mark.parametrize(
    ("default", "refused", "expected"),
    [
        ("group_message", [], "group_message"),
        ("group_message", ["group_message"], "system_notification"),
        ("system_notification", ["system_notification"], "group_message"),
        (
            "group_message",
            ["system_notification", "group_message"],
            "group_message",
        ),
    ],
)
def test_the_default_is_an_offered_one(settings, default, refused, expected):
    settings.IM_DEFAULT_CHANNEL = default
    for name in refused:
        make_capability(name, "no")

    assert capabilities.default_of(capabilities.offered_channels()) == expected


def test_members_of_a_message_are_named_only_after_a_yes():
    assert capabilities.why_no_named_members(NOTICE) == ""
    assert "was not probed" in capabilities.why_no_named_members(MESSAGE)

    row = make_capability("named_members", "no", error_code=10059)
    assert "code 10059, probed on" in capabilities.why_no_named_members(MESSAGE)

    row.answer = Capability.Answer.YES
    row.save()
    assert capabilities.why_no_named_members(MESSAGE) == ""


def test_the_channels_name_known_capabilities():
    for channel in WRITABLE.values():
        assert channel.capability in capabilities.NAMES
        assert channel.members_capability in ("", *capabilities.NAMES)
