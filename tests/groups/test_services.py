"""Changing chat groups and downloading: refused by the service itself, too."""

import pytest
from django.core.exceptions import PermissionDenied

from notifications import permissions
from notifications.groups import services as groups_services
from notifications.groups.export import download_groups
from notifications.groups.importing import apply
from notifications.history.export import download
from notifications.history.search.filters import DeliveryFilter
from notifications.models import AuditEntry, ChatGroup, GroupImport
from tests.factories import make_group, make_user
from tests.group_files import opened

pytestmark = pytest.mark.django_db

CHANGES = {
    "off": lambda user: groups_services.switch_off(user, ChatGroup.objects.all()),
    "on": lambda user: groups_services.switch_on(user, ChatGroup.objects.all()),
    "change": lambda user: groups_services.save_group(user, ChatGroup.objects.first()),
    "add": lambda user: groups_services.save_group(
        user, ChatGroup(group_id="new", name="New", type="Public")
    ),
    "keep a file": lambda user: apply.store_pending(
        user, b"group_id,type,name\ng,Public,G"
    ),
    "import": lambda user: apply.import_pending(
        user,
        GroupImport.objects.create(owner=user, content=b""),
        opened(b"group_id,type,name\ng,Public,G"),
        digest="",
        leave_out=False,
    ),
    "download": lambda user: download(
        user, DeliveryFilter(), [], file_format="csv", parameters={}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_community_manager_is_refused(change):
    user = make_user(permissions.COMMUNITY_MANAGER)
    make_group()

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        CHANGES[change](user)

    assert AuditEntry.objects.count() == 0


def test_who_may_not_see_the_groups_downloads_no_list():
    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        download_groups(make_user(), ChatGroup.objects.all(), filters={})

    assert AuditEntry.objects.count() == 0
