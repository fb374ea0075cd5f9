"""Pages of saved audiences: the list, and one with the groups that match it."""

import pytest

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.audiences.exclusions import ExclusionReason
from notifications.models import Label, Rule, SavedAudience
from tests.edit_forms import save_form
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

AUDIENCES = "/groups/audiences/"
LIVE = Rule(types=("AVChatRoom",))


def counts(audience):
    return audience.count, audience.included.people, audience.excluded


@pytest.fixture
def user():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def manager(user, log_in):
    return log_in(user)


@pytest.fixture
def rooms() -> None:
    make_group(name="直播 1", type="AVChatRoom", member_count=1000)
    make_group(name="直播 2", type="AVChatRoom", member_count=204)
    make_group(name="直播 3", type="AVChatRoom", state="closed")


def shown_messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_list_shows_the_groups_that_match_each(
    manager, user, rooms, django_assert_num_queries
):
    assert "No audiences yet." in manager.get(AUDIENCES).content.decode()
    audiences_saved.save(user, "Live & more", LIVE)
    with django_assert_num_queries(8):
        text = manager.get(AUDIENCES).content.decode()
    for name in ("B", "C"):
        audiences_saved.save(user, name, Rule(name_contains="直播", min_members=500))

    with django_assert_num_queries(10):  # one more for each
        page = manager.get(AUDIENCES)

    assert "Types: Live room" in text
    assert "1,204" in text
    assert 'href="/write/?audience=Live%20%26%20more"' in text
    assert [
        (one.name, words, counts(audience))
        for one, words, audience in page.context["audiences"]
    ] == [
        ("B", "Name contains: 直播 · Members: at least 500", (1, 1000, {})),
        ("C", "Name contains: 直播 · Members: at least 500", (1, 1000, {})),
        ("Live & more", "Types: Live room", (2, 1204, {ExclusionReason.CLOSED: 1})),
    ]


def test_count_saves_nothing(manager, rooms):
    posted = {"types": ["AVChatRoom"], "count": "1"}

    page = manager.post(AUDIENCES + "add/", posted)

    assert counts(page.context["matching"]) == (2, 1204, {ExclusionReason.CLOSED: 1})
    text = page.content.decode()
    assert "Counted. Nothing is saved yet." in text
    assert "2 groups would get it" in text
    assert "1 group meets the rule and is left out:" in text
    assert '<input type="checkbox" name="types" value="AVChatRoom"' in text
    assert not SavedAudience.objects.exists()


def test_an_audience_is_saved_and_shows_its_count(manager, rooms):
    posted = {"name": "Live rooms", "types": ["AVChatRoom"]}

    saved = manager.post(AUDIENCES + "add/", posted, follow=True)
    address = saved.redirect_chain[0][0]
    changed = posted | {"name": "Large", "min_members": "500"}
    again = save_form(manager, address, changed, follow=True)

    assert shown_messages(saved) == ["The audience “Live rooms” is saved."]
    assert counts(saved.context["matching"]) == (2, 1204, {ExclusionReason.CLOSED: 1})
    assert 'href="/write/?audience=Live%20rooms"' in saved.content.decode()
    assert again.redirect_chain == [(address, 302)]
    assert counts(again.context["matching"]) == (1, 1000, {})
    stored = SavedAudience.objects.get()
    assert (stored.name, stored.rule) == (
        "Large",
        Rule(types=("AVChatRoom",), min_members=500),
    )


def test_every_error_has_its_place(manager):
    page = manager.post(
        AUDIENCES + "add/",
        {"types": ["Nope"], "labels": ["Gone"], "exceptions": "x y"},
    )
    nothing = manager.post(AUDIENCES + "add/", {"name": "All"})
    nameless = manager.post(AUDIENCES + "add/", {"types": ["Public"]})

    assert list(page.context["form"].errors) == ["types", "labels", "exceptions"]
    assert "There is no label “Gone”." in page.content.decode()
    assert nothing.context["form"].non_field_errors() == [
        "Choose at least one condition, or send to every group."
    ]
    assert nameless.context["form"].errors == {
        "name": ["The name must have 1 to 80 characters, on one line."]
    }
    assert not SavedAudience.objects.exists()


def test_an_audience_is_deleted_after_a_question(manager, user):
    saved = audiences_saved.save(user, "Live", LIVE)
    address = f"{AUDIENCES}{saved.pk}/delete/"

    old = manager.get(address).context["shown"]
    audiences_saved.save(user, "Rooms", LIVE, pk=saved.pk)
    refused = manager.post(address, {"shown": old}, follow=True)
    assert shown_messages(refused) == [
        "This has changed since the page was shown. Look again, then confirm."
    ]
    audiences_saved.save(user, "Live", LIVE, pk=saved.pk)
    asked = manager.get(address).content.decode()
    done = manager.post(address, {"shown": old}, follow=True)

    assert f'name="shown" value="{old}"' in asked
    assert "Types: Live room" in asked
    assert shown_messages(done) == ["The audience “Live” is deleted."]
    assert not SavedAudience.objects.exists()


def test_an_auditor_reads_audiences(log_in, user, rooms):
    Label.objects.create(name="North")
    group = make_group(group_id="except-me")
    rule = Rule(types=("AVChatRoom",), labels=("North",), exceptions=(group.group_id,))
    saved = audiences_saved.save(user, "Live", rule)
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    one = auditor.get(f"{AUDIENCES}{saved.pk}/")
    listed = auditor.get(AUDIENCES).content.decode()
    refused = [
        auditor.post(AUDIENCES + address, {"name": "x"}).status_code
        for address in ("add/", f"{saved.pk}/", f"{saved.pk}/delete/")
    ]

    assert one.context["conditions"] == [
        ("Types", "Live room"),
        ("Labels", "North"),
        ("Except", "1 group"),
    ]
    assert "except-me" in one.content.decode()
    assert "0 groups would get it" in one.content.decode()
    assert "New audience" not in listed
    assert "Write to it" not in listed
    assert refused == [403, 403, 403]
    assert SavedAudience.objects.get().name == "Live"


def test_a_hint_without_labels(manager):
    text = manager.get(AUDIENCES + "add/").content.decode()

    assert "No group has a label yet." in text
    assert "at least one of these" not in text
