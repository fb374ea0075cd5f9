"""The Check page: warnings, lists of groups, and problems that prevent sending."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import permissions
from notifications.compose.differences import ChangedValue
from notifications.models import Delivery, Notification
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TEXT = "The walk moves to 9:30."


@pytest.fixture
def page_of(manager):
    return lambda draft: manager.get(f"/write/{draft.pk}/check/")


def fresh_group(**kwargs):
    return make_group(**{"checked_at": timezone.now()} | kwargs)


def draft_for(person, groups, **kwargs):
    values = {
        "sender": person,
        "content": TEXT,
        "audience": "chosen",
        "audience_values": [group.group_id for group in groups],
    }
    return make_notification(**values | kwargs)


def sent_to(
    groups, *, minutes_ago: float, content: str = TEXT, sender=None, **kwargs
) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    values = {"status": "sending", "content": content, "sent_at": at}
    notification = make_notification(**values | ({"sender": sender} if sender else {}))
    for group in groups:
        make_delivery(notification, group, created_at=at, **kwargs)


@pytest.mark.parametrize(
    ("ages", "sentences"),
    [
        ([timedelta(days=6, hours=23)], []),
        (
            [timedelta(days=8)],
            [
                "1 group was last checked more than a week ago. A group that has been "
                "closed will fail; the others are not affected."
            ],
        ),
        (
            [timedelta(days=8), None, timedelta(0), timedelta(days=400)],
            [
                "3 groups were last checked more than a week ago. A group that has "
                "been closed will fail; the others are not affected."
            ],
        ),
    ],
)
def test_groups_not_checked_for_a_week(person, page_of, ages, sentences):
    groups = [
        make_group(checked_at=None if age is None else timezone.now() - age)
        for age in ages
    ]

    assert page_of(draft_for(person, groups)).context["warnings"] == sentences


def test_the_same_text_went_out_lately(person, page_of):
    groups = [fresh_group() for _n in range(3)]
    other = fresh_group()
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    sent_to([groups[0]], minutes_ago=90, status="accepted")
    sent_to([groups[0], groups[1], other], minutes_ago=4.2, sender=colleague)

    page = page_of(draft_for(person, groups))

    assert page.context["warnings"] == [
        "The same text went to 2 of these groups 4\xa0minutes ago."
    ]
    assert "The same text went to 2 of these groups" in page.content.decode()


@pytest.mark.parametrize(
    ("kwargs", "time"),
    [
        ({"minutes_ago": 0}, "1\xa0minute"),
        ({"minutes_ago": 60 * 23.9}, "23\xa0hours"),
        ({"minutes_ago": 60 * 24.1}, None),
        ({"minutes_ago": 5, "content": TEXT + "!"}, None),
        ({"minutes_ago": 5, "status": "cancelled"}, None),
        ({"minutes_ago": 5, "status": "failed", "error_code": 10010}, None),
        # Members may have seen 10002, and deliveries without a response.
        ({"minutes_ago": 5, "status": "failed", "error_code": 10002}, "5\xa0minutes"),
        ({"minutes_ago": 5, "status": "unconfirmed"}, "5\xa0minutes"),
    ],
)
def test_when_the_same_text_counts(person, page_of, kwargs, time):
    group = fresh_group()
    sent_to([group], **kwargs)

    assert page_of(draft_for(person, [group])).context["warnings"] == (
        [f"The same text went to 1 of these groups {time} ago."] if time else []
    )


def test_the_same_text_to_other_groups_is_no_matter(person, page_of):
    sent_to([fresh_group()], minutes_ago=5)

    assert page_of(draft_for(person, [fresh_group()])).context["warnings"] == []


def test_the_same_text_to_every_group(person, page_of):
    groups = [fresh_group() for _n in range(501)]  # more than one query can list
    sent_to(groups[:2], minutes_ago=5)

    page = page_of(draft_for(person, [], audience="every"))

    assert page.context["warnings"] == [
        "The same text went to 2 of these groups 5\xa0minutes ago."
    ]


def test_warnings_do_not_prevent_sending(person, manager, page_of):
    group = make_group(checked_at=None)
    draft = draft_for(person, [group])
    digest = page_of(draft).context["form"].initial["digest"]

    sent = manager.post(f"/write/{draft.pk}/check/", {"digest": digest})

    assert sent["Location"] == f"/sent/{draft.pk}/"


def test_a_text_changed_in_another_tab_is_shown_and_not_sent(person, manager, page_of):
    draft = draft_for(person, [fresh_group()], content="TEXT ONE")
    form = page_of(draft).context["form"].initial
    address = f"/write/{draft.pk}/check/"
    Notification.objects.update(content="TEXT TWO")

    page = manager.post(address, form)

    assert page.context["differences"] == [
        ChangedValue("Message", "TEXT ONE", "TEXT TWO", [])
    ]
    text = page.content.decode()
    assert "Changed since you checked" in text
    assert '<p class="bubble">TEXT TWO</p>' in text
    assert not Delivery.objects.exists()
    again = {name: page.context["form"][name].value() for name in form}
    assert again != form
    assert manager.post(address, again)["Location"] == f"/sent/{draft.pk}/"


def test_a_box_that_was_not_ticked_does_not_hide_a_change(person, manager, page_of):
    draft = draft_for(person, [fresh_group()], audience="every", note="One")
    form = page_of(draft).context["form"].initial
    Notification.objects.update(note="Two")

    page = manager.post(f"/write/{draft.pk}/check/", form)

    assert page.context["differences"] == [ChangedValue("Note", "One", "Two", [])]
    assert page.context["form"]["digest"].value() != form["digest"]


@pytest.mark.parametrize("shown", ["", "not signed"])
def test_without_the_shown_values_the_send_is_refused_all_the_same(
    person, manager, shown
):
    draft = draft_for(person, [fresh_group()])

    page = manager.post(
        f"/write/{draft.pk}/check/", {"digest": "0" * 64, "shown": shown}
    )

    assert (page.context["has_changed"], page.context["differences"]) == (True, [])
    assert not Delivery.objects.exists()


def test_the_page_names_the_writer(person, page_of):
    draft = draft_for(person, [fresh_group()], written_by_name="j.okafor")

    assert "Written by <bdi>j.okafor</bdi>" in page_of(draft).content.decode()


def test_what_goes_where(person, page_of):
    groups = [fresh_group(name=f"Club {n:02}", member_count=2000) for n in range(10)]
    draft = draft_for(person, groups, note="CM-431")

    page = page_of(draft)
    text = page.content.decode()

    assert page.context["first_groups"] == [
        (f"Club {n:02}", "Public · 2,000 members") for n in range(8)
    ]
    for part in (
        "Goes to 10 groups",
        "Everyone: up to 20,000 people who are online",
        "2,000 members",
        "Show 2 more",
        "CM-431",
        "Send to 10 groups",
    ):
        assert part in text


def test_named_members_are_listed(person, page_of):
    names = [f"member{n}" for n in range(60)]
    draft = draft_for(person, [fresh_group()], recipients="\n".join(names))

    text = page_of(draft).content.decode()

    assert "60 named members in each group" in text
    assert ", ".join(names[:8]) in text
    assert ", ".join(names[8:]) in text
    assert "The members of each group are sent to in 2 calls." in text


@pytest.mark.parametrize(
    ("count", "asked"), [(50, None), (51, "I want to send this to 51 groups")]
)
def test_more_than_fifty_groups_need_a_tick(person, manager, page_of, count, asked):
    draft = draft_for(person, [fresh_group() for _n in range(count)])
    form = page_of(draft).context["form"]

    assert (form.fields["sure"].label if asked else None) == asked
    assert ("sure" in form.fields) == bool(asked)
    answer = manager.post(
        f"/write/{draft.pk}/check/", {"digest": form.initial["digest"]}
    )
    assert answer.status_code == (200 if asked else 302)


def test_all_problems_of_a_draft_are_listed(person, page_of):
    groups = [
        fresh_group(name="Old club", state="switched_off"),
        fresh_group(name="Gone", state="closed"),
    ]
    draft = draft_for(person, groups, audience_values=[
        *(group.group_id for group in groups), "nobody"
    ])  # fmt: skip

    page = page_of(draft)
    text = page.content.decode()

    assert page.context["problems"] == [
        "This ID is not in the list of groups: nobody",
        "These groups are switched off or closed: Old club, Gone. Remove them.",
    ]
    assert "This cannot be sent as it is:" in text
    assert "Change the draft" in text
    assert 'class="default button"' not in text
    assert page.context["warnings"] == []


def test_the_queries_do_not_grow(person, page_of, django_assert_max_num_queries):
    def queries(count: int) -> int:
        groups = [make_group(checked_at=None) for _n in range(count)]
        for _n in range(count):
            sent_to(groups, minutes_ago=5)
        with django_assert_max_num_queries(15) as counted:
            page = page_of(draft_for(person, groups))
        assert len(page.context["warnings"]) == 2
        return len(counted)

    assert queries(1) == queries(3)


def test_a_colleague_sees_no_draft_of_others(person, log_in):
    draft = draft_for(person, [fresh_group()])
    colleague = log_in(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))
    chief = log_in(make_user(username="chief", superuser=True))

    for other in (colleague, chief):
        for page in ("", "check/", "hand-over/"):
            assert other.get(f"/write/{draft.pk}/{page}").status_code == 403


def test_groups_of_unknown_size(person, page_of):
    live = make_group(type="AVChatRoom", member_count=0)

    text = page_of(draft_for(person, [live])).content.decode()

    assert "Everyone who is online" in text
    assert "How many members 1 of the groups has is not known." in text
    assert "0 members" not in text


def test_nothing_is_sent_without_the_step_before(person, manager, page_of):
    draft, other = (draft_for(person, [fresh_group()]) for _n in range(2))
    digest = page_of(draft).context["form"].initial["digest"]
    digest_of_other = page_of(other).context["form"].initial["digest"]
    Notification.objects.filter(pk=draft.pk).update(content="Changed since Check")

    for fields in (
        {},
        {"digest": ""},
        {"digest": "0" * 64},
        {"digest": digest_of_other},
        {"digest": digest},
    ):
        answer = manager.post(f"/write/{draft.pk}/check/", fields)
        assert answer.status_code == 200, fields
    draft.refresh_from_db()
    assert (draft.status, Delivery.objects.count()) == ("draft", 0)

    shown = answer.context["form"]["digest"].value()
    assert manager.post(f"/write/{draft.pk}/check/", {"digest": shown})["Location"]
    draft.refresh_from_db()
    assert draft.status == "sending"
