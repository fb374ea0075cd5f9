"""The Write page: chosen groups, validation, and the list of own drafts."""

import json

import pytest

from notifications import permissions
from notifications.compose.services.handover import hand_over
from notifications.models import AuditEntry, Notification
from tests.factories import make_group, make_notification, make_user, write_fields

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WRITE = "/write/"
EVERY_RULE = "To name members, choose the groups instead of sending to every group."


def carried(page) -> list[dict]:
    """The chosen groups in the page."""
    text = page.content.decode()
    start = text.index('<script id="picked-groups" type="application/json">')
    carried = text[text.index(">", start) + 1 : text.index("</script>", start)]
    return json.loads(carried)["groups"]


def test_the_page_carries_the_chosen_groups_only(manager, person):
    for number in range(3):
        make_group(group_id=f"live{number}", type="AVChatRoom")
    draft = make_notification(
        sender=person, audience="chosen", audience_values=["live1", "gone"]
    )

    assert carried(manager.get(WRITE)) == []
    page = manager.get(f"/write/{draft.pk}/")
    assert [group["id"] for group in carried(page)] == ["gone", "live1"]
    assert "live2" not in page.content.decode()


def test_a_hostile_name_of_a_group_stays_text(manager, person):
    make_group(group_id="x", name="</script><script>alert(1)</script>")
    draft = make_notification(
        sender=person, audience="chosen", audience_values=["x"], content="<b>bold</b>"
    )

    page = manager.get(f"/write/{draft.pk}/")
    list_of_drafts = manager.get(WRITE).content.decode()

    assert carried(page)[0]["name"] == "</script><script>alert(1)</script>"
    assert "<script>alert" not in page.content.decode()
    assert "<b>bold" not in list_of_drafts


def test_the_choice_every_group_has_its_count(manager):
    make_group(member_count=1000)
    make_group(member_count=24)
    make_group(state="closed", member_count=500)

    page = manager.get(WRITE)

    assert "Every group (2)" in page.content.decode()


def test_no_group_chosen(manager):
    make_group()

    errors = manager.post(WRITE, write_fields(groups=" ,、\n")).context["form"].errors

    assert errors == {"groups": ["Choose at least one group, or pick “Every group”."]}


@pytest.mark.parametrize("group_type", ["Public", "AVChatRoom"])
def test_members_are_not_named_for_every_group(manager, group_type):
    make_group(type=group_type)
    named = write_fields(audience="every", members="named", recipients="anna")

    refused = manager.post(WRITE, named)

    assert refused.context["form"].errors == {"members": [EVERY_RULE]}
    assert Notification.objects.count() == 0
    assert manager.post(WRITE, named | {"members": "everyone"}).status_code == 302


def test_duplicates_are_counted_on_the_next_page(manager):
    make_group(group_id="hikers")

    page = manager.post(
        WRITE,
        write_fields(
            groups="hikers；hikers", members="named", recipients="anna,li,anna,li,wu"
        ),
        follow=True,
    )

    assert [str(message) for message in page.context["messages"]] == [
        "3 IDs were given more than once and count once."
    ]
    draft = Notification.objects.get()
    assert (draft.audience_values, draft.recipients) == (["hikers"], "anna\nli\nwu")


def test_no_message_without_duplicates(manager):
    make_group(group_id="hikers")

    page = manager.post(WRITE, write_fields(), follow=True)

    assert list(page.context["messages"]) == []


@pytest.mark.parametrize("ids", ["a\0b", "x" * 100_000, "王五", "<script>"])
def test_odd_ids_are_refused_in_words(manager, ids):
    page = manager.post(WRITE, write_fields(groups=ids))

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["groups"]


def test_own_drafts_are_listed_newest_first(manager, person):
    first = make_notification(sender=person, content="First\n" + "x" * 100)
    second = make_notification(sender=person, content="Second")
    make_notification(sender=person, content="Was sent", status="completed")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    make_notification(sender=colleague, content="Not mine")

    page = manager.get(WRITE)
    text = page.content.decode()

    assert [draft.pk for draft, _by in page.context["drafts"]] == [second.pk, first.pk]
    assert "All your drafts" not in text
    assert f'href="/write/{second.pk}/"' in text
    assert f'action="/write/{second.pk}/delete/"' in text
    assert '<details class="card drafts" open>' in text
    assert manager.get(f"/write/{second.pk}/").context["drafts"] == [(first, "")]


def test_a_draft_that_was_handed_over_names_the_colleague(manager, person):
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    draft = make_notification(sender=colleague)
    hand_over(colleague, draft.pk, to=person, version=1)
    person.username = "lin.mei-new"
    person.save()

    page = manager.get(WRITE)

    assert page.context["drafts"] == [(draft, "j.okafor")]
    assert "Handed over by <bdi>j.okafor</bdi>" in page.content.decode()


def test_a_superuser_sees_which_drafts_nobody_can_send_but_not_their_texts(
    person, log_in
):
    draft = make_notification(sender=person, content="A secret plan")
    chief = log_in(make_user(username="chief", superuser=True))
    assert not chief.get(WRITE).context["ownerless_drafts"]
    person.is_active = False
    person.save()

    text = chief.get(WRITE).content.decode()
    page = chief.get(f"/write/{draft.pk}/hand-over/").content.decode()

    assert f'href="/write/{draft.pk}/hand-over/"' in text
    assert "is one of lin.mei, who can no longer send" in page
    assert "A secret plan" not in text + page
    assert chief.get(f"/write/{draft.pk}/").status_code == 403


def test_an_old_form_is_refused_with_both_texts(manager, person):
    make_group(group_id="hikers")
    draft = make_notification(
        sender=person,
        version=2,
        content="Theirs",
        audience="chosen",
        audience_values=["hikers"],
    )
    address = f"/write/{draft.pk}/"

    page = manager.post(address, write_fields(content="Mine", version="1"))

    text = page.content.decode()
    assert [(d.label, d.before, d.after) for d in page.context["differences"]] == [
        ("Message", "Theirs", "Mine")
    ]
    assert "This draft was changed meanwhile" in text
    assert Notification.objects.get().content == "Theirs"
    form = page.context["form"]
    assert (form["content"].value(), form["version"].value()) == ("Mine", "2")

    saved = manager.post(address, write_fields(content="Mine", version="2"))

    assert saved["Location"] == f"/write/{draft.pk}/check/"
    draft.refresh_from_db()
    assert (draft.content, draft.version) == ("Mine", 3)


def test_a_form_without_a_number_is_refused_the_same_way(manager):
    make_group(group_id="hikers")
    manager.post(WRITE, write_fields(content="One"))

    page = manager.post(WRITE, write_fields(content="Two"))

    assert [d.after for d in page.context["differences"]] == ["Two"]
    assert page.context["form"]["version"].value() == "1"
    assert page.context["stored"] == Notification.objects.get()


@pytest.mark.parametrize("is_new", [True, False])
def test_the_second_of_two_copies_of_a_tab_is_refused_with_both_texts(
    manager, person, is_new
):
    """Both have the same token and version, as a duplicated tab has."""
    make_group(group_id="hikers")
    draft = make_notification(sender=person, version=7)
    address = WRITE if is_new else f"/write/{draft.pk}/"
    form = manager.get(address).context["form"]
    hidden = {name: form[name].value() for name in ("token", "version")}

    first = manager.post(address, write_fields(content="One", **hidden))
    second = manager.post(address, write_fields(content="Two", **hidden))

    assert first.status_code == 302
    text = second.context["differences"][0]
    assert (text.label, text.before, text.after) == ("Message", "One", "Two")
    assert (
        Notification.objects.latest("created_at" if is_new else "version").content
        == "One"
    )


def test_the_text_of_a_draft_that_was_thrown_away_is_not_lost(manager):
    make_group(group_id="hikers")

    page = manager.post(
        "/write/999/", write_fields(content="Mine", version="1"), follow=True
    )

    assert Notification.objects.get().content == "Mine"
    assert [str(message) for message in page.context["messages"]] == [
        "The draft had been thrown away meanwhile. This is a new one."
    ]
    assert manager.get("/write/1234/").status_code == 404


def test_a_form_that_comes_after_the_send_is_answered_in_words(manager, person):
    make_group(group_id="hikers")
    sent = make_notification(
        sender=person, status="completed", token=write_fields()["token"]
    )

    for address in (WRITE, f"/write/{sent.pk}/"):
        page = manager.post(address, write_fields(content="Other"))

        refused_as_new_draft(page, "This has been sent already.")
        assert f'<a href="/sent/{sent.pk}/">' in page.content.decode()
    assert manager.get(f"/write/{sent.pk}/")["Location"] == f"/sent/{sent.pk}/"


def refused_as_new_draft(page, sentence):
    """Nothing is saved; the form has what was entered, and makes a new draft."""
    assert page.status_code == 403
    text = page.content.decode()
    assert "Nothing was saved" in text
    assert sentence in text
    form = page.context["form"]
    assert form["content"].value() == "Other"
    assert str(form["token"].value()) != write_fields()["token"]
    assert form["version"].value() == 0
    assert 'action="/write/"' in text
    assert [group["id"] for group in carried(page)] == ["hikers"]


@pytest.mark.parametrize("fields", [{}, {"check_members": "1"}, {"groups": "hikers"}])
def test_a_draft_that_was_handed_over_meanwhile_loses_no_text(manager, person, fields):
    make_group(group_id="hikers")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    draft = make_notification(
        sender=person, content="A secret plan", token=write_fields()["token"]
    )
    hand_over(person, draft.pk, to=colleague, version=1)
    entered = write_fields(content="Other", version="1") | fields

    for address in (WRITE, f"/write/{draft.pk}/"):
        if address == WRITE and "check_members" in fields:
            continue
        page = manager.post(address, entered)

        refused_as_new_draft(
            page, "This is a draft of j.okafor, who can hand it over to you."
        )
        assert "A secret plan" not in page.content.decode()
    assert Notification.objects.get().content == "A secret plan"
    form = page.context["form"]
    saved = manager.post(
        WRITE, entered | {"token": form["token"].value(), "version": "0"}
    )
    assert Notification.objects.count() == (1 if "check_members" in fields else 2)
    assert saved.status_code == (200 if "check_members" in fields else 302)


@pytest.mark.parametrize("version", ["1", "", "x", "9" * 5000])
def test_a_newer_version_is_not_thrown_away(manager, person, version):
    draft = make_notification(sender=person, version=2)

    page = manager.post(f"/write/{draft.pk}/delete/", {"version": version}, follow=True)

    assert page.redirect_chain == [(f"/write/{draft.pk}/", 302)]
    assert [str(message) for message in page.context["messages"]] == [
        "The draft was changed meanwhile, for example in another tab. It was not "
        "thrown away."
    ]
    assert Notification.objects.count() == 1
    assert manager.post("/write/9999/delete/", {"version": "1"}).status_code == 404


def test_handing_a_draft_over(manager, person):
    colleague = make_user(
        permissions.COMMUNITY_MANAGER, username="j.okafor", first_name="Jo"
    )
    make_user(permissions.AUDITOR, username="wang.fang")
    draft = make_notification(sender=person)
    address = f"/write/{draft.pk}/hand-over/"

    form = manager.get(address).context["form"]
    assert [label for _value, label in form.fields["to"].choices] == [
        "Choose a colleague",
        "j.okafor (Jo)",
    ]
    empty = manager.post(address, {"version": "1"})
    assert list(empty.context["form"].errors) == ["to"]
    old = manager.post(address, {"version": "0", "to": colleague.pk})
    assert old["Location"] == address
    page = manager.post(address, {"version": "1", "to": colleague.pk}, follow=True)

    assert page.redirect_chain == [(WRITE, 302)]
    assert [str(message) for message in page.context["messages"]][-1] == (
        "The draft is handed over to j.okafor."
    )
    draft.refresh_from_db()
    assert draft.sender == colleague
    assert manager.get(address).status_code == 403
    twice = manager.post(address, {"version": "1", "to": colleague.pk}, follow=True)
    assert twice.redirect_chain == [(WRITE, 302)]
    assert [str(message) for message in twice.context["messages"]] == [
        "The draft is handed over to j.okafor."
    ]
    assert AuditEntry.objects.filter(action="draft_handed_over").count() == 1


def test_many_drafts_are_folded_away(manager, person):
    first = make_notification(sender=person)
    for _n in range(20):
        make_notification(sender=person)

    page = manager.get(WRITE)

    assert len(page.context["drafts"]) == 20
    text = page.content.decode()
    assert '<details class="card drafts">' in text
    assert '<span class="muted">21</span>' in text
    assert 'href="/write/drafts/"' in text
    last = manager.get("/write/drafts/?page=2")
    assert [draft.pk for draft, _by in last.context["drafts"]] == [first.pk]
    assert 'href="?page=1"' in last.content.decode()


def test_all_drafts_of_people_who_left_are_listed(person, manager, log_in):
    first = make_notification(sender=person, content="A secret plan")
    for _n in range(20):
        make_notification(sender=person)
    chief = log_in(make_user(username="chief", superuser=True))
    person.is_active = False
    person.save()

    assert 'href="/write/drafts/ownerless/"' in chief.get(WRITE).content.decode()
    text = chief.get("/write/drafts/ownerless/?page=2").content.decode()
    assert f'href="/write/{first.pk}/hand-over/"' in text
    assert "A secret plan" not in text
    person.is_active = True
    person.save()
    assert manager.get("/write/drafts/ownerless/").status_code in (302, 403)
    empty = chief.get("/write/drafts/ownerless/").content.decode()
    assert "There are no drafts." in empty


def test_without_drafts_there_is_no_list(manager):
    assert "Your drafts" not in manager.get(WRITE).content.decode()


def test_the_queries_do_not_grow(manager, person, django_assert_max_num_queries):
    chosen: list[str] = []

    def queries(count: int) -> int:
        for _n in range(count):
            chosen.append(make_group().group_id)
            make_notification(sender=person)
        draft = make_notification(
            sender=person, audience="chosen", audience_values=chosen
        )
        with django_assert_max_num_queries(15) as counted:
            page = manager.get(f"/write/{draft.pk}/")
        assert len(carried(page)) == len(chosen)
        return len(counted)

    assert queries(1) == queries(2)
