"""Pages of labels: the list, one label, and many groups at once."""

import pytest

from notifications import permissions
from notifications.groups import labels as groups_labels
from notifications.models import AuditEntry, ChatGroup, Label, SavedAudience
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

GROUPS = "/notifications/chatgroup/"
LABELS = "/groups/labels/"
EVERY = ChatGroup.objects.all()


@pytest.fixture
def user():
    return make_user(permissions.GROUP_ADMINISTRATOR, username="xu")


@pytest.fixture
def administrator(user, log_in):
    return log_in(user)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def labels_of(group: ChatGroup) -> list[str]:
    return [label.name for label in group.labels.all()]


def act(client, action: str, query: str = "", *, across: bool = False, ticked=()):
    data = {"action": action, "_selected_action": [group.pk for group in ticked]}
    address = GROUPS + query
    return client.post(address, data | {"select_across": "1" if across else "0"})


def test_the_list_counts_groups(administrator, user, django_assert_num_queries):
    def listed() -> list[tuple[str, int]]:
        label_counts = administrator.get(LABELS).context["label_counts"]
        return [(label.name, count) for label, count in label_counts]

    assert "No labels yet." in administrator.get(LABELS).content.decode()
    make_group(group_id="a")
    groups_labels.add_labels(user, EVERY, ["North"])
    with django_assert_num_queries(8):
        assert listed() == [("North", 1)]
    make_group(group_id="b")
    groups_labels.add_labels(user, EVERY, ["VIP", "a&b"])
    Label.objects.create(name="Unused")

    with django_assert_num_queries(8):
        assert listed() == [("North", 1), ("Unused", 0), ("VIP", 2), ("a&b", 2)]
    text = administrator.get(LABELS).content.decode()
    assert f'href="{GROUPS}?label=a%26b"' in text


def test_a_hundred_labels_a_page(administrator):
    Label.objects.bulk_create(Label(name=f"label {n:03d}") for n in range(101))

    first = administrator.get(LABELS)
    second = administrator.get(LABELS + "?page=2")

    assert [len(page.context["label_counts"]) for page in (first, second)] == [100, 1]
    assert 'href="?page=2"' in first.content.decode()


def test_a_label_gets_another_name(administrator):
    label = Label.objects.create(name="North")
    Label.objects.create(name="VIP")
    address = f"{LABELS}{label.pk}/rename/"

    refused = administrator.post(address, {"name": "vip"})
    empty = administrator.post(address, {"name": " "})
    done = administrator.post(address, {"name": "Zone north"}, follow=True)

    assert refused.context["form"].errors == {
        "name": ["There is a label “VIP” already."]
    }
    assert empty.context["form"].errors == {"name": ["Write the label."]}
    assert said(done) == ["The label is called “Zone north” now."]


def test_a_label_is_deleted_unless_an_audience_uses_it(administrator):
    label = Label.objects.create(name="North")
    make_group().labels.add(label)
    address = f"{LABELS}{label.pk}/delete/"
    assert "It is taken off 1 group." in administrator.get(address).content.decode()
    used = SavedAudience.objects.create(
        name="The north", stored_rule={"labels": ["North"]}, changed_by="xu"
    )

    page = administrator.get(address).content.decode()
    refused = administrator.post(address, follow=True)

    assert "<li>The north</li>" in page
    assert "Delete the label</button>" not in page
    assert said(refused) == ["An audience uses this label: The north. Change it first."]
    used.delete()
    old = {"shown": administrator.get(address).context["shown"]}
    make_group().labels.add(label)
    newer = administrator.post(address, old, follow=True)
    assert said(newer) == [
        "This has changed since the page was shown. Look again, then confirm."
    ]
    assert "It is taken off 2 groups." in newer.content.decode()
    shown = newer.context["shown"]
    assert f'name="shown" value="{shown}"' in newer.content.decode()
    assert said(administrator.post(address, {"shown": shown}, follow=True)) == [
        "The label “North” is deleted."
    ]


def test_labels_on_the_ticked_groups(administrator):
    first, second, other = (make_group(name=name) for name in ("A", "B", "C"))
    Label.objects.create(name="VIP")

    page = act(administrator, "add_labels", "?state=in_use", ticked=(first, second))
    address = page["Location"]
    form = administrator.get(address)
    shown = form.content.decode()
    count = {"shown": form.context["shown"]}
    done = administrator.post(
        address,
        {"label_names": ["VIP"], "new_labels": "North; west"} | count,
        follow=True,
    )
    again = administrator.post(address, {"label_names": ["VIP"]} | count, follow=True)

    assert "2 groups that you ticked." in shown
    assert said(done) == ["Labels put on 2 groups."]
    assert done.redirect_chain == [(GROUPS + "?state=in_use", 302)]
    assert said(again) == ["2 had these labels already."]
    assert [labels_of(group) for group in (first, second, other)] == [
        ["North", "VIP", "west"], ["North", "VIP", "west"], []
    ]  # fmt: skip


def test_labels_on_all_groups_of_the_filter(administrator):
    for number in range(51):
        make_group(name=f"直播 {number}", type="AVChatRoom")
    make_group(name="直播 chat")
    one = ChatGroup.objects.get(name="直播 0")
    query = "?q=直播&type=AVChatRoom"

    page = act(administrator, "add_labels", query, across=True, ticked=[one])
    form = administrator.get(page["Location"])
    shown = form.content.decode()
    more = make_group(name="直播 more", type="AVChatRoom")
    old = {"new_labels": "Live", "shown": form.context["shown"]}
    refused = administrator.post(page["Location"], old)
    more.delete()
    administrator.post(page["Location"], old)
    off = act(administrator, "remove_labels", "?label=Live", across=True, ticked=[one])
    taking = administrator.get(off["Location"])
    taken = {"label_names": ["Live"], "shown": taking.context["shown"]}
    done = administrator.post(off["Location"], taken, follow=True)

    assert refused.context["form"].non_field_errors() == [
        "This has changed since the page was shown. Look again, then confirm."
    ]
    assert "52 groups that match" in refused.content.decode()
    assert (
        "51 groups that match: Search by name or group ID: 直播 · Group type: Live room"
    ) in shown
    choices = taking.context["form"].fields["label_names"].choices
    assert choices == [("Live", "Live (51)")]
    assert "51 groups that match: Label: Live" in taking.content.decode()
    assert said(done) == ["Labels taken off 51 groups."]
    found = AuditEntry.objects.order_by("id").values_list("action", "detail__groups")
    assert list(found) == [("labels_put", 51), ("labels_taken", 51)]


def test_without_a_label_nothing_happens(administrator):
    make_group()

    put = administrator.post(LABELS + "put/", {"new_labels": "x" * 51})
    none = administrator.post(LABELS + "put/", {"shown": put.context["shown"]})
    take = administrator.get(LABELS + "take/").content.decode()
    forged = administrator.post(LABELS + "take/", {"label_names": ["a\0b"]})

    assert put.context["form"].errors == {
        "new_labels": [f"The label “{'x' * 50}…” has 51 characters; the limit is 50."]
    }
    assert none.context["form"].non_field_errors() == [
        "Choose a label, or write a new one."
    ]
    assert forged.context["form"].errors == {
        "label_names": ["“a\0b” is not in this list."]
    }
    assert "All groups: 1." in take
    assert "None of them has a label." in take
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "?groups=", "?groups=x,²", "?groups=99999999999999999999", "?q=nothing",
        # Left out, a filter that nobody understands would mean every group.
        "?type=Nope", "?label=gone",
    ],
)  # fmt: skip
def test_an_address_that_means_no_group_leads_to_the_list(administrator, query):
    group = make_group()

    answer = administrator.post(LABELS + "put/" + query, {"new_labels": "North"})

    assert (answer.status_code, answer["Location"]) == (302, GROUPS)
    assert labels_of(group) == []


def test_an_auditor_sees_labels_and_changes_none(log_in):
    auditor = log_in(make_user(permissions.AUDITOR))
    label = Label.objects.create(name="North")
    group = make_group()
    group.labels.add(label)

    listed = auditor.get(LABELS).content.decode()
    one = auditor.get(f"{GROUPS}{group.pk}/change/").content.decode()
    answers = [
        auditor.post(LABELS + address, {"new_labels": "x", "name": "x"}).status_code
        for address in ("put/", "take/", f"{label.pk}/rename/", f"{label.pk}/delete/")
    ]

    assert "North" in listed
    assert "North" in one
    assert "Rename" not in listed
    assert answers == [403] * 4
    assert labels_of(group) == ["North"]
