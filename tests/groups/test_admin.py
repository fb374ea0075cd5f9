"""Groups: the list with its filters and actions, one group, and who may change it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import permissions
from notifications.models import AuditEntry, ChatGroup, Label
from tests.edit_forms import save_form
from tests.factories import make_delivery, make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

GROUPS = "/notifications/chatgroup/"
VALUES = {"name": "徒步", "type": "Public", "member_count": 5, "state": "in_use"}


@pytest.fixture
def administrator(log_in):
    return log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="xu"))


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


def test_groups_are_found_by_label_by_their_last_check_and_without_a_known_type(
    administrator,
):
    now = timezone.now()
    fresh = make_group(name="A", checked_at=now)
    week = make_group(name="B", checked_at=now - timedelta(days=3))
    old = make_group(name="C", checked_at=now - timedelta(days=8))
    never = make_group(name="D", type="Topic")
    label = Label.objects.create(name="North")
    label.groups.add(week, never)

    def found(query: str) -> list[ChatGroup]:
        return list(administrator.get(GROUPS + query).context["cl"].result_list)

    assert found("?label=North") == [week, never]
    assert found("?label=North&type=unknown") == [never]
    assert found("?type=unknown") == [never]
    assert found("?checked=day") == [fresh]
    assert found("?checked=week") == [fresh, week]
    assert found("?checked=earlier") == [old]
    assert found("?checked=never") == [never]
    assert found("?label=gone") == [fresh, week, old, never]
    page = administrator.get(GROUPS + "?label=gone&checked=x")
    assert page.context["cl"].filter_form.errors == {
        "label": ["“gone” is not in this list."],
        "checked": ["“x” is not in this list."],
    }


def test_a_row_shows_labels_and_a_type_nobody_knows(
    administrator, django_assert_num_queries
):
    group = make_group(name="A", type="Topic")
    group.labels.add(Label.objects.create(name="North"))
    make_delivery(group=make_group(name="A2"))
    with django_assert_num_queries(10):
        text = administrator.get(GROUPS).content.decode()
    for name in ("B", "C"):
        make_group(name=name).labels.add(Label.objects.create(name=name))

    with django_assert_num_queries(10):
        administrator.get(GROUPS)

    assert "Topic (unknown type)" in text
    assert '<span class="cell-label">Labels</span> North' in text


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

    assert (
        "No groups yet. Sync them from the chat service, add one, or import a file."
        in text
    )


def test_groups_are_added_and_keep_their_id(administrator):
    refused = administrator.post(GROUPS + "add/", VALUES | {"group_id": "two words"})
    administrator.post(GROUPS + "add/", VALUES | {"group_id": "@TGS#1"})
    group = ChatGroup.objects.get()
    save_form(
        administrator,
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


def test_labels_of_one_group(administrator):
    group = make_group(group_id="a")
    group.labels.add(Label.objects.create(name="North"))
    Label.objects.create(name="VIP")
    address = f"{GROUPS}{group.pk}/change/"

    form = administrator.get(address).context["adminform"].form
    posted = VALUES | {"name": group.name, "label_names": ["VIP"], "new_labels": "w, W"}
    save_form(administrator, address, posted | {"member_count": 120})
    refused = save_form(administrator, address, VALUES | {"new_labels": "x" * 51})

    assert form.initial["label_names"] == ["North"]
    assert [label.name for label in group.labels.all()] == ["VIP", "w"]
    assert entries()[1:] == [
        ("labels_taken", "xu", {"labels": ["North"], "groups": 1, "named": ["a"]}),
        ("labels_put", "xu", {"labels": ["VIP", "w"], "groups": 1, "named": ["a"]}),
    ]
    assert refused.context["errors"] == [
        [f"The label “{'x' * 50}…” has 51 characters; the limit is 50."]
    ]


def test_a_new_group_gets_its_labels(administrator):
    posted = VALUES | {"group_id": "n", "new_labels": "North"}

    administrator.post(GROUPS + "add/", posted)

    assert [label.name for label in ChatGroup.objects.get().labels.all()] == ["North"]


def test_nobody_gives_a_group_of_an_unknown_type_another(administrator):
    group = make_group(type="Topic")

    address = f"{GROUPS}{group.pk}/change/"
    save_form(administrator, address, VALUES | {"new_labels": "North"})

    group.refresh_from_db()
    assert (group.type, group.name, group.labels.count()) == ("Topic", "徒步", 1)


def test_titles_are_plain_and_no_button_is_useless(administrator, log_in):
    group = make_group(name="Hikers")
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
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
        ("switched_off", "xu", {"groups": 2, "named": ["a", "b"]}),
        ("switched_on", "xu", {"groups": 2, "named": ["a", "b"]}),
    ]


def test_switching_what_is_off_already_writes_nothing(administrator):
    group = make_group(state="switched_off")

    assert said(act(administrator, "switch_off", group)) == [
        "1 group was left as it is."
    ]
    assert entries() == []


@pytest.mark.parametrize(
    "query", ["?q=plaza", "?label=Off", "?q=plaza&state=in_use&type=Public"]
)
def test_all_groups_of_a_filter_are_switched_off(administrator, query):
    label = Label.objects.create(name="Off")
    for number in range(51):
        label.groups.add(make_group(name="Plaza", group_id=f"p{number}"))
    other = make_group(name="Hikers")
    one = ChatGroup.objects.get(group_id="p0")

    page = administrator.post(
        GROUPS + query,
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
    client = log_in(make_user(permissions.AUDITOR))
    group = make_group()

    act(client, "switch_off", group)
    assert client.get(GROUPS + "add/").status_code == 403
    assert client.post(f"{GROUPS}{group.pk}/change/", VALUES).status_code == 403

    group.refresh_from_db()
    assert group.state == "in_use"
    assert entries() == []


def test_groups_are_chosen_from_the_list(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
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


def test_thousands_of_groups_are_not_taken_over_one_by_one(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name=f"直播 {n}", type="Public")
        for n in range(1001)
    )
    first = ChatGroup.objects.get(group_id="g0")

    def write_to(query: str):
        posted = {"action": "write_to", "_selected_action": [first.pk]}
        return client.post(GROUPS + query, posted | {"select_across": "1"}, follow=True)

    refused = write_to("?q=直播")
    first.delete()
    first = ChatGroup.objects.get(group_id="g1")

    assert said(refused) == [
        "More than 1,000 groups are not written to one by one. In "
        '<a href="/write/">Write</a>, choose them by a rule, or by an '
        '<a href="/groups/audiences/">audience</a>.'
    ]
    assert refused.redirect_chain[-1][0].startswith(GROUPS)
    chosen = write_to("?q=直播")
    assert len(chosen.context["form"]["groups"].value().split()) == 1000


def test_without_a_group_in_use_there_is_nothing_to_write(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
    off = make_group(name="Old", state="switched_off")

    page = act(client, "write_to", off)

    assert page.redirect_chain == [(GROUPS, 302)]
    assert said(page) == [
        "Left out, because they are switched off, closed or of an unknown type: Old"
    ]


def test_a_name_with_a_line_feed_is_refused(administrator):
    response = administrator.post(
        f"{GROUPS}add/", VALUES | {"group_id": "a", "name": "Hikers\nb\tPublic"}
    )

    assert response.context["adminform"].form.errors["name"] == [
        "The name “Hikers�b�Public” has a character that cannot be shown. Remove it."
    ]
    assert not ChatGroup.objects.exists()
