"""Groups, People and Roles: what can be changed, and by whom."""

import pytest
from django.contrib.auth.models import Group, User

from notifications import roles
from notifications.models import ChatGroup
from tests.factories import make_delivery, make_group, make_user

pytestmark = pytest.mark.django_db

GROUPS = "/notifications/chatgroup/"


def act(client, action: str, *groups: ChatGroup):
    chosen = [group.pk for group in groups]
    return client.post(GROUPS, {"action": action, "_selected_action": chosen})


def test_groups_are_added_and_keep_their_id(log_in):
    client = log_in(make_user(roles.GROUP_ADMINISTRATOR))
    values = {"name": "徒步", "type": "Public", "member_count": 5, "state": "in_use"}

    refused = client.post(GROUPS + "add/", values | {"group_id": "two words"})
    client.post(GROUPS + "add/", values | {"group_id": "@TGS#1"})
    group = ChatGroup.objects.get()
    client.post(f"{GROUPS}{group.pk}/change/", values | {"group_id": "x", "name": "新"})

    assert refused.context["errors"] == [
        [
            "“two words” is not a group ID. A group ID has 1 to 48 letters, digits or "
            "signs, without spaces."
        ]
    ]
    group.refresh_from_db()
    assert (group.group_id, group.name) == ("@TGS#1", "新")
    assert group.checked_at is not None


def test_groups_are_switched_off_and_on_but_never_deleted(log_in):
    client = log_in(make_user(roles.GROUP_ADMINISTRATOR))
    group = make_group()

    states = []
    for action in ("switch_off", "switch_on", "delete_selected"):
        act(client, action, group)
        group.refresh_from_db()
        states.append(group.state)

    assert states == ["switched_off", "in_use", "in_use"]
    assert client.get(f"{GROUPS}{group.pk}/delete/").status_code == 403


def test_an_auditor_changes_no_group(log_in):
    client = log_in(make_user(roles.AUDITOR))
    group = make_group()

    act(client, "switch_off", group)
    assert client.get(GROUPS + "add/").status_code == 403

    group.refresh_from_db()
    assert group.state == "in_use"


def test_groups_are_chosen_from_the_list(log_in):
    client = log_in(make_user(roles.COMMUNITY_MANAGER))
    hikers, closed = make_group(group_id="hikers"), make_group(state="closed")
    make_delivery(group=hikers)

    chosen = act(client, "write_to", hikers, closed)

    assert chosen["Location"] == "/write/"
    form = client.get("/write/").context["form"]
    assert form["groups"].value() == "hikers"


def test_new_people_can_log_in_without_a_further_flag(log_in):
    client = log_in(make_user(superuser=True, username="chief"))
    secret = "a long enough pass phrase"

    client.post(
        "/auth/user/add/",
        {
            "username": "new",
            "usable_password": "true",
            "password1": secret,
            "password2": secret,
        },
    )

    assert User.objects.get(username="new").is_staff


def test_people_administrators_touch_neither_superusers_nor_themselves(log_in):
    admin = make_user(roles.PEOPLE_ADMINISTRATOR)
    chief = make_user(superuser=True, username="chief")
    other = make_user(username="other")
    client = log_in(admin)
    address = "/auth/user/{}/change/"

    for person in (chief, admin):
        client.post(address.format(person.pk), {"username": "taken.over"})
    client.post(
        address.format(other.pk),
        {"username": "renamed", "is_active": "on", "is_superuser": "on"},
    )

    assert set(User.objects.values_list("username", "is_superuser")) == {
        ("lin.mei", False),
        ("chief", True),
        ("renamed", False),
    }
    assert client.get(f"/auth/user/{other.pk}/delete/").status_code == 403


def test_roles_offer_only_the_permissions_in_use(log_in):
    client = log_in(make_user(superuser=True))
    role = Group.objects.get(name=roles.AUDITOR)

    form = client.get(f"/auth/group/{role.pk}/change/").context["adminform"].form

    offered = form.fields["permissions"].queryset
    assert offered.count() == len(roles.ALL)
