"""Asking for a sync of the groups, and stopping one."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import permissions
from notifications.groups.sync.services import request_sync, stop_sync
from notifications.models import AuditEntry, GroupSync, SyncChange
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(permissions.GROUP_ADMINISTRATOR, username="li.na")


def test_a_sync_is_asked_for(user):
    sync = request_sync(user)

    assert (sync.status, sync.requested_by) == ("waiting", "li.na")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("sync_requested", "li.na")
    assert entry.detail == {"sync": sync.pk}


@pytest.mark.parametrize("status", ["waiting", "running"])
def test_while_one_is_open_no_other_is_made(user, status):
    first = request_sync(user)
    GroupSync.objects.update(status=status)

    assert request_sync(user) == first
    assert GroupSync.objects.count() == AuditEntry.objects.count() == 1


def test_after_the_end_another_one_may_be_asked_for(user):
    first = request_sync(user)
    stop_sync(user, first.pk)

    assert request_sync(user) != first


def test_a_sync_is_stopped(user):
    sync = request_sync(user)
    SyncChange.objects.create(sync=sync, kind="added", group_id="g")

    stopped = stop_sync(user, sync.pk)

    assert (stopped.status, stopped.finished_at is None) == ("cancelled", False)
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor) == ("sync_ended", "li.na")
    assert entry.detail["status"] == "cancelled"
    assert entry.detail["added"] == 1


def test_what_has_ended_is_not_stopped(user):
    sync = GroupSync.objects.create(
        requested_by="x", status="completed", finished_at=timezone.now()
    )

    with pytest.raises(ValidationError, match="has ended already"):
        stop_sync(user, sync.pk)
    assert GroupSync.objects.get().status == "completed"


@pytest.mark.parametrize(
    "role",
    [
        None,
        permissions.COMMUNITY_MANAGER,
        permissions.AUDITOR,
        permissions.PEOPLE_ADMINISTRATOR,
    ],
)
def test_others_may_not(user, role):
    other = make_user(role, username="other")
    sync = request_sync(user)

    with pytest.raises(PermissionDenied):
        request_sync(other)
    with pytest.raises(PermissionDenied):
        stop_sync(other, sync.pk)
    sync.refresh_from_db()
    assert sync.status == "waiting"
