"""Choosing groups on the Write page by a rule, by a saved audience, or one by one."""

import json

import pytest
from django.utils import timezone

from notifications.models import Label, LoginSession, Notification, SavedAudience
from tests.factories import make_group, make_notification, write_fields

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WRITE = "/write/"


def carried(page) -> dict[str, list[dict]]:
    text = page.content.decode()
    start = text.index('<script id="picked-groups" type="application/json">')
    return json.loads(text[text.index(">", start) + 1 : text.index("</script>", start)])


def test_by_a_rule(manager):
    make_group(type="AVChatRoom").labels.set([Label.objects.create(name="North")])
    make_group(group_id="x", type="AVChatRoom")
    rule = {
        "types": ["AVChatRoom", "Public"],
        "labels": ["North"],
        "name_contains": " plaza ",
        "min_members": "10",
        "max_members": "5000",
        "exceptions": "x，x",
    }

    answer = manager.post(WRITE, write_fields(audience="rule", **rule))

    draft = Notification.objects.get()
    assert answer["Location"] == f"/write/{draft.pk}/check/"
    assert (draft.audience, draft.audience_values) == (
        "rule",
        {
            "types": ["Public", "AVChatRoom"],
            "labels": ["North"],
            "name_contains": "plaza",
            "min_members": 10,
            "max_members": 5000,
            "exceptions": ["x"],
        },
    )
    form = manager.get(f"/write/{draft.pk}/").context["form"]
    assert {name: form[name].value() for name in rule} == {
        "types": ["Public", "AVChatRoom"],
        "labels": ["North"],
        "name_contains": "plaza",
        "min_members": 10,
        "max_members": 5000,
        "exceptions": "x",
    }
    assert form["audience"].value() == "rule"


def test_errors_of_a_rule_are_beside_its_fields(manager):
    make_group()
    fields = write_fields(
        audience="rule",
        content="",
        min_members="x",
        max_members="3",
        exceptions="nobody",
    )

    assert manager.post(WRITE, fields).context["form"].errors == {
        "min_members": ["Write a number with digits only, such as 5000."]
    }
    assert manager.post(WRITE, fields | {"min_members": "4"}).context[
        "form"
    ].errors == {
        "content": ["Write the message."],
        "max_members": ["At most 3 is less than at least 4."],
        "exceptions": ["This ID is not in the list of groups: nobody"],
    }
    assert not Notification.objects.exists()


def test_fields_of_other_kinds_are_ignored(manager):
    make_group(group_id="hikers")
    fields = write_fields(
        min_members="x",
        exceptions="nobody",
        labels="Gone",
        types="Publik",
        saved="Gone",
    )

    assert manager.post(WRITE, fields).status_code == 302
    assert Notification.objects.get().audience_values == ["hikers"]


def test_by_a_saved_audience(manager):
    make_group()
    make_group(state="closed")
    SavedAudience.objects.create(name="Big <b>", stored_rule={"min_members": 100})
    SavedAudience.objects.create(name="Nobody", stored_rule={"min_members": 1000})

    page = manager.get(WRITE, {"audience": "Big <b>"})
    text = page.content.decode()
    answer = manager.post(WRITE, write_fields(audience="saved", saved="Big <b>"))

    assert '<option value="Big &lt;b&gt;" selected>Big &lt;b&gt; (1)</option>' in text
    assert '<option value="Nobody">Nobody (0)</option>' in text
    assert page.context["form"]["audience"].value() == "saved"
    draft = Notification.objects.get()
    assert (draft.audience, draft.audience_values) == ("saved", ["Big <b>"])
    assert answer["Location"] == f"/write/{draft.pk}/check/"
    form = manager.get(f"/write/{draft.pk}/").context["form"]
    assert form["saved"].value() == "Big <b>"


def test_a_deleted_audience_stays_chosen_and_is_refused(manager, person):
    draft = make_notification(sender=person, audience="saved", audience_values=["West"])
    make_group()

    text = manager.get(f"/write/{draft.pk}/").content.decode()
    check = manager.get(f"/write/{draft.pk}/check/")

    assert '<option value="West" selected>West (0)</option>' in text
    assert check.context["problems"] == [
        "The audience “West” no longer exists. Choose another."
    ]


def test_no_audience_is_saved_yet(manager):
    assert "No audience is saved yet" in manager.get(WRITE).content.decode()


def test_many_chosen_groups_are_carried_as_ids_alone(manager, person):
    ids = [make_group(group_id=f"g{n:02}").group_id for n in range(60)]
    make_group(group_id="off", name="Old club", state="switched_off")
    draft = make_notification(
        sender=person, audience="chosen", audience_values=[*ids, "off", "nobody"]
    )

    page = manager.get(f"/write/{draft.pk}/")
    pasted = manager.post("/write/groups/", {"ids": " ".join([*ids, "off"])}).json()

    shown = carried(page)["groups"]
    assert [group["id"] for group in shown] == ["nobody", "off", *ids[:48]]
    assert page.context["form"]["groups"].value().split("\n") == [*ids, "off", "nobody"]
    assert (pasted["ids"], len(pasted["groups"])) == ([*ids, "off"], 50)
    assert pasted["says"] == "60 groups added. 1 cannot be sent to: see the mark."


def test_ids_are_shown_again_one_on_each_line(manager):
    make_group(group_id="a,b")
    form = manager.post(WRITE, write_fields(groups="a,b x，y", content="")).context[
        "form"
    ]

    assert form["groups"].value() == "a,b\nx\ny"


def test_a_text_posted_after_the_session_keeps_the_rule(manager, person):
    fields = write_fields(audience="rule", types=["Public", "AVChatRoom"])
    LoginSession.objects.update(expire_date=timezone.now())
    manager.post(WRITE, fields)
    manager.force_login(person)

    form = manager.get(WRITE).context["form"]

    assert (form["audience"].value(), form["types"].value()) == (
        "rule",
        ["Public", "AVChatRoom"],
    )
    assert form["content"].value() == "Hi"


@pytest.mark.parametrize("rows", [1, 3])
def test_the_queries_do_not_grow(manager, rows, django_assert_max_num_queries):
    for number in range(rows):
        make_group().labels.set([Label.objects.create(name=f"L{number}")])
        SavedAudience.objects.create(
            name=f"A{number}", stored_rule={"labels": [f"L{number}"]}
        )
    manager.get(WRITE)

    with django_assert_max_num_queries(11):
        manager.get(WRITE)
