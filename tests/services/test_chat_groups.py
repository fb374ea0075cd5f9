"""Changing chat groups and downloading: refused by the service itself, too."""

import pytest
from django.core.exceptions import PermissionDenied

from notifications import roles
from notifications.models import AuditEntry, ChatGroup
from notifications.selectors.wanted import DeliveryFilter
from notifications.services import chat_groups
from notifications.services.downloads import download
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db

CHANGES = {
    "off": lambda user: chat_groups.switch_off(user, ChatGroup.objects.all()),
    "on": lambda user: chat_groups.switch_on(user, ChatGroup.objects.all()),
    "change": lambda user: chat_groups.save_group(user, ChatGroup.objects.first()),
    "add": lambda user: chat_groups.save_group(
        user, ChatGroup(group_id="new", name="New", type="Public")
    ),
    "download": lambda user: download(
        user, DeliveryFilter(), [], file_format="csv", filters={}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_community_manager_is_refused(change):
    user = make_user(roles.COMMUNITY_MANAGER)
    make_group()

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        CHANGES[change](user)

    assert AuditEntry.objects.count() == 0


def test_an_import_keeps_the_former_name():
    make_group(group_id="hikers", name="Weekend hikers", type="Public")

    plan = chat_groups.plan_import(b"group_id,type,name\nhikers,Public,Night walkers\n")
    chat_groups.apply_import(plan, actor="xu")

    group = ChatGroup.objects.get()
    assert (group.name, group.former_names) == ("Night walkers", "Weekend hikers")
    assert list(ChatGroup.objects.matching("weekend")) == [group]
