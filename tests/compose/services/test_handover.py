"""Handing a draft over: who may, to whom, and the audit entry."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import permissions
from notifications.audit.presentation import sentence
from notifications.compose.services.drafts import DraftChanged
from notifications.compose.services.handover import (
    hand_over,
    handed_over_by,
    ownerless_drafts,
    receiver_of,
)
from notifications.delivery import controls
from notifications.models import AuditEntry, Notification
from tests.factories import make_notification, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague():
    return make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")


@pytest.fixture
def chief():
    return make_user(username="chief", superuser=True)


def test_the_colleague_holds_the_draft_afterwards(manager, colleague):
    draft = make_notification(sender=manager)

    hand_over(manager, draft.pk, to=colleague, version=1)

    draft.refresh_from_db()
    assert (draft.sender, draft.sender_name) == (colleague, "j.okafor")
    assert draft.written_by_name == "lin.mei"
    assert handed_over_by([draft]) == {draft.pk: "lin.mei"}
    assert receiver_of(manager, draft.pk) == "j.okafor"
    assert receiver_of(colleague, draft.pk) is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("draft_handed_over", "lin.mei")
    assert sentence(entry.action, entry.detail) == (
        "Handed the draft of lin.mei over to j.okafor."
    )
    with pytest.raises(PermissionDenied):
        hand_over(manager, draft.pk, to=manager, version=1)


def test_a_draft_of_others_is_not_handed_over(manager, colleague, chief):
    draft = make_notification(sender=manager)

    for other in (colleague, chief):
        with pytest.raises(PermissionDenied, match=r"a draft of lin\.mei"):
            hand_over(other, draft.pk, to=other, version=1)

    draft.refresh_from_db()
    assert draft.sender == manager


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_nobody_gets_a_draft_who_cannot_send(manager, colleague, change):
    draft = make_notification(sender=manager)
    auditor = make_user(permissions.AUDITOR, username="wang.fang")
    type(colleague).objects.filter(pk=colleague.pk).update(**change)

    for other in (auditor, colleague, manager):
        with pytest.raises(ValidationError, match="This person may not send"):
            hand_over(manager, draft.pk, to=other, version=1)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("loses", ["login", "permission"])
def test_a_superuser_hands_over_what_its_sender_cannot_send(
    manager, colleague, chief, loses
):
    draft = make_notification(sender=manager)
    make_notification(sender=colleague)
    if loses == "login":
        manager.is_active = False
        manager.save()
    else:
        manager.groups.clear()

    assert list(ownerless_drafts()) == [draft]
    with pytest.raises(PermissionDenied):
        hand_over(colleague, draft.pk, to=colleague, version=1)
    hand_over(chief, draft.pk, to=chief, version=1)

    draft.refresh_from_db()
    assert (draft.sender, draft.written_by) == (chief, manager)
    entry = AuditEntry.objects.get()
    assert entry.actor == "chief"
    assert entry.detail == {"of": "lin.mei", "to": "chief"}


def test_a_newer_version_or_a_sent_notification_is_not_handed_over(manager, colleague):
    draft = make_notification(sender=manager, version=2)
    sent = make_notification(sender=manager, status="sending")

    with pytest.raises(DraftChanged):
        hand_over(manager, draft.pk, to=colleague, version=1)
    with pytest.raises(Notification.DoesNotExist):
        hand_over(manager, sent.pk, to=colleague, version=1)


def test_a_sender_with_a_new_name_is_named_so(manager, colleague, chief, log_in):
    """The draft keeps the name of the day on which it was saved."""
    draft = make_notification(sender=manager)
    running = make_notification(sender=manager, status="sending")
    type(manager).objects.filter(pk=manager.pk).update(username="mei")

    with pytest.raises(PermissionDenied, match="a draft of mei,"):
        hand_over(colleague, draft.pk, to=colleague, version=1)
    with pytest.raises(PermissionDenied, match="mei controls this notification"):
        controls.resume(colleague, running.pk)
    controls.take_over(colleague, running.pk)
    manager.groups.clear()
    client = log_in(chief)
    for address in ("/write/", f"/write/{draft.pk}/hand-over/"):
        assert "mei" in client.get(address).content.decode().replace("lin.mei", "")
    hand_over(chief, draft.pk, to=colleague, version=1)

    sentences = [
        sentence(e.action, e.detail) for e in AuditEntry.objects.order_by("pk")
    ]
    assert sentences == [
        "Took it over from mei.",
        "Handed the draft of mei over to j.okafor.",
    ]
