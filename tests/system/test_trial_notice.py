"""The test notice to one group is an ordinary notification."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation

from notifications import permissions
from notifications.models import AuditEntry, Notification
from notifications.system.connection_check import send_trial_notice
from tests.factories import make_capability, make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_is_a_notification_that_says_what_it_is(language):
    group = make_group()
    user = make_user(permissions.COMMUNITY_MANAGER)

    with translation.override(language):
        sent = send_trial_notice(user, group.group_id)

    sent.refresh_from_db()
    assert (sent.status, sent.sender) == ("sending", user)
    assert sent.content.startswith(("[Test]", "[测试]"))
    assert [(d.group_id, d.status) for d in sent.deliveries.all()] == [
        (group.group_id, "queued")
    ]
    assert AuditEntry.objects.filter(action="sent", actor="lin.mei").count() == 1


def test_a_new_customer_sends_it_as_a_group_message():
    group = make_group()
    make_capability("system_notification", "no", error_code=10026)

    sent = send_trial_notice(make_user(permissions.COMMUNITY_MANAGER), group.group_id)

    assert (sent.channel, sent.status) == ("group_message", "sending")


@pytest.mark.parametrize(
    ("group_id", "state", "sentence"),
    [
        ("", "in_use", "Choose at least one group"),
        ("elsewhere", "in_use", "elsewhere"),
        ("hikers", "switched_off", "Hikers"),
    ],
)
def test_a_group_that_cannot_be_sent_to(group_id, state, sentence):
    make_group(group_id="hikers", name="Hikers", state=state)

    with pytest.raises(ValidationError, match=sentence):
        send_trial_notice(make_user(permissions.COMMUNITY_MANAGER), group_id)

    assert not Notification.objects.exists()
    assert not AuditEntry.objects.exists()


def test_who_may_not_send_sends_no_test_either():
    group = make_group()

    with pytest.raises(PermissionDenied):
        send_trial_notice(make_user(permissions.SYSTEM_ADMINISTRATOR), group.group_id)

    assert not Notification.objects.exists()
