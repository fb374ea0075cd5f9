"""Groups: the list with its filters and actions, one group, and who may change it."""

import pytest

from notifications import roles
from notifications.models import AuditEntry, ChatGroup
from tests.factories import make_delivery, make_group, make_user

pytestmark = pytest.mark.django_db

GROUPS = "/notifications/chatgroup/"
VALUES = {"name": "徒步", "type": "Public", "member_count": 5, "state": "in_use"}


@pytest.fixture
def administrator(log_in):
    return log_in(make_user(roles.GROUP_ADMINISTRATOR, username="xu"))


def act(client, action: str, *groups: ChatGroup, **kwargs):
    chosen = [group.pk for group in groups]
    return client.post(
        GROUPS, {"action": action, "_selected_action": chosen}, follow=True, **kwargs
    )


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def entries() -> list[tuple[str, str, dict]]:
    found = AuditEntry.objects.order_by("id")
    return list(found.values_list("action", "actor", "detail"))


def test_the_filters_of_the_list(administrator):
    live = make_group(name="直播间", type="AVChatRoom")
    off = make_group(name="Old hikers", state="switched_off")
    renamed = make_group(name="Night walkers", former_names="Old walkers")

    def found(query: str) -> list[ChatGroup]:
        return list(administrator.get(GROUPS + query).context["cl"].result_list)

    assert found("?q=直播") == [live]
    assert found("?type=AVChatRoom") == [live]
    assert found("?state=switched_off") == [off]
    assert found("?q=old") == [renamed, off]
    assert found("?q=old&state=in_use") == [renamed]
    assert found("?p=77&q=old") == [renamed, off]


def test_a_row_says_when_the_group_was_last_written_to(administrator):
    group = make_group(name="Hikers", group_id="hikers", member_count=1204)
    make_delivery(group=group)

    text = administrator.get(GROUPS).content.decode()

    assert "1,204" in text
    assert '<time class="nowrap num" datetime="2026-03-02T09:30:00+00:00">' in text
    assert "Last checked (UTC)" in text
    assert "Choose an action" in text
    assert "changelist-filter" not in text


def test_an_empty_list(administrator):
    text = administrator.get(GROUPS).content.decode()

    assert "No groups yet. Add one, or import a CSV file." in text


def test_groups_are_added_and_keep_their_id(administrator):
    refused = administrator.post(GROUPS + "add/", VALUES | {"group_id": "two words"})
    administrator.post(GROUPS + "add/", VALUES | {"group_id": "@TGS#1"})
    group = ChatGroup.objects.get()
    administrator.post(
        f"{GROUPS}{group.pk}/change/",
        VALUES | {"group_id": "x", "name": "新", "state": "closed"},
    )

    assert refused.context["errors"] == [
        [
            "“two words” is not a group ID. A group ID has 1 to 48 letters, digits or "
            "signs, without spaces."
        ]
    ]
    group.refresh_from_db()
    assert (group.group_id, group.name, group.former_names) == ("@TGS#1", "新", "徒步")
    assert group.checked_at is not None
    assert entries() == [
        ("group_added", "xu", VALUES | {"group_id": "@TGS#1"}),
        (
            "group_changed",
            "xu",
            {
                "group_id": "@TGS#1",
                "before": {"name": "徒步", "state": "in_use"},
                "after": {"name": "新", "state": "closed"},
            },
        ),
    ]


def test_titles_are_plain_and_no_button_is_useless(administrator, log_in):
    group = make_group(name="Hikers")
    auditor = log_in(make_user(roles.AUDITOR, username="wang.fang"))
    change = f"{GROUPS}{group.pk}/change/"

    pages = [administrator.get(a) for a in (GROUPS, GROUPS + "add/", change)]
    read_only = auditor.get(change).content.decode()

    assert [str(page.context["title"]) for page in pages] == [
        "Chat groups",
        "Add chat group",
        "Hikers",
    ]
    text = pages[2].content.decode()
    assert 'name="_save"' in text
    for useless in ("historylink", "closelink", "_continue", "_addanother"):
        assert useless not in text + read_only


def test_groups_are_switched_off_and_on(administrator):
    first, second = make_group(group_id="a"), make_group(group_id="b")
    closed = make_group(group_id="c", state="closed")
    groups = (first, second, closed)

    off = act(administrator, "switch_off", *groups)
    states_off = list(ChatGroup.objects.order_by("pk").values_list("state", flat=True))
    on = act(administrator, "switch_on", *groups)
    states_on = list(ChatGroup.objects.order_by("pk").values_list("state", flat=True))

    left = "1 group was left as it is."
    assert said(off) == ["2 groups switched off.", left]
    assert said(on) == ["2 groups switched on.", left]
    assert states_off == ["switched_off", "switched_off", "closed"]
    assert states_on == ["in_use", "in_use", "closed"]
    assert entries() == [
        ("switched_off", "xu", {"groups": ["a", "b"]}),
        ("switched_on", "xu", {"groups": ["a", "b"]}),
    ]


def test_switching_what_is_off_already_writes_nothing(administrator):
    group = make_group(state="switched_off")

    assert said(act(administrator, "switch_off", group)) == [
        "1 group was left as it is."
    ]
    assert entries() == []


def test_all_groups_of_a_filter_are_switched_off(administrator):
    for number in range(51):
        make_group(name="Plaza", group_id=f"p{number}")
    other = make_group(name="Hikers")
    one = ChatGroup.objects.get(group_id="p0")

    page = administrator.post(
        GROUPS + "?q=plaza",
        {"action": "switch_off", "_selected_action": [one.pk], "select_across": "1"},
        follow=True,
    )

    assert said(page) == ["51 groups switched off."]
    other.refresh_from_db()
    assert other.state == "in_use"


def test_groups_are_never_deleted(administrator):
    group = make_group()

    act(administrator, "delete_selected", group)

    assert administrator.get(f"{GROUPS}{group.pk}/delete/").status_code == 403
    assert ChatGroup.objects.count() == 1


def test_an_auditor_changes_no_group(log_in):
    client = log_in(make_user(roles.AUDITOR))
    group = make_group()

    act(client, "switch_off", group)
    assert client.get(GROUPS + "add/").status_code == 403
    assert client.post(f"{GROUPS}{group.pk}/change/", VALUES).status_code == 403

    group.refresh_from_db()
    assert group.state == "in_use"
    assert entries() == []


def test_groups_are_chosen_from_the_list(log_in):
    client = log_in(make_user(roles.COMMUNITY_MANAGER))
    hikers = make_group(group_id="hikers", name="Hikers")
    out = [make_group(name=f"Old {n}", state="closed") for n in range(6)]
    make_delivery(group=hikers)

    chosen = act(client, "write_to", hikers, *out)

    assert chosen.redirect_chain == [("/write/", 302)]
    assert chosen.context["form"]["groups"].value() == "hikers"
    assert said(chosen) == [
        "Left out, because they are switched off, closed or of an unknown type: "
        "Old 0, Old 1, Old 2, Old 3, Old 4 and 1 more"
    ]


def test_without_a_group_in_use_there_is_nothing_to_write(log_in):
    client = log_in(make_user(roles.COMMUNITY_MANAGER))
    off = make_group(name="Old", state="switched_off")

    page = act(client, "write_to", off)

    assert page.redirect_chain == [(GROUPS, 302)]
    assert said(page) == [
        "Left out, because they are switched off, closed or of an unknown type: Old"
    ]
