"""The pages from writing to progress, and their permissions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import permissions
from notifications.compose.checked import checked_of
from notifications.models import AuditEntry, Delivery, LoginSession, Notification
from tests.factories import (
    PASSWORD,
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_user,
    write_fields,
)

pytestmark = pytest.mark.django_db

WRITE = "/write/"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def client_of_manager(manager, log_in):
    return log_in(manager)


def test_the_whole_task(client_of_manager):
    make_group(group_id="hikers", name="Hikers")
    make_group(group_id="live", name="Live", type="AVChatRoom")

    written = client_of_manager.post(WRITE, write_fields(groups="hikers，live"))
    draft = Notification.objects.get()
    assert written["Location"] == f"/write/{draft.pk}/check/"

    page = client_of_manager.get(written["Location"])
    assert "Send to 2 groups" in page.content.decode()

    sent = client_of_manager.post(
        written["Location"], {"digest": checked_of(draft.sender, draft).digest()}
    )
    again = client_of_manager.post(
        written["Location"], {"digest": checked_of(draft.sender, draft).digest()}
    )
    assert sent["Location"] == again["Location"] == f"/sent/{draft.pk}/"
    assert Delivery.objects.count() == 2

    progress = client_of_manager.get(sent["Location"]).content.decode()
    assert "Sending: 0 of 2 groups done" in progress
    back = client_of_manager.post(f"/write/{draft.pk}/", write_fields(content="Other"))
    assert back.status_code == 403
    draft.refresh_from_db()
    assert draft.content == "Hi"


def test_problems_are_shown_beside_their_fields(client_of_manager):
    make_group(group_id="live", name="Live", type="AVChatRoom")

    page = client_of_manager.post(
        WRITE,
        write_fields(
            groups="live nobody", members="named", recipients="王五", content=" "
        ),
    )

    assert page.context["form"].errors == {
        "content": ["Write the message."],
        "groups": ["This ID is not in the list of groups: nobody"],
        "recipients": ["Not a member ID: 王五"],
    }
    assert Notification.objects.count() == 0


def test_every_group_needs_a_tick(client_of_manager, manager):
    make_group()
    draft = make_notification(sender=manager)
    address = f"/write/{draft.pk}/check/"
    digest = checked_of(manager, draft).digest()

    unticked = client_of_manager.post(address, {"digest": digest})
    assert unticked.context["form"].errors == {
        "sure": ["Tick the box: this goes to 1 group."]
    }
    ticked = client_of_manager.post(address, {"digest": digest, "sure": "on"})
    assert ticked["Location"] == f"/sent/{draft.pk}/"


def test_a_group_that_changed_between_check_and_send(client_of_manager, manager):
    group = make_group(group_id="hikers", name="Hikers")
    draft = make_notification(
        sender=manager, audience="chosen", audience_values=["hikers"], recipients="anna"
    )
    address = f"/write/{draft.pk}/check/"
    digest = checked_of(manager, draft).digest()
    group.type = "BChatRoom"
    group.save()

    page = client_of_manager.post(address, {"digest": digest}, follow=True)

    sentence = "Hikers can only be sent to everyone. Remove it, or pick “Everyone in the group”."
    assert page.context["has_changed"]
    assert page.context["problems"] == [sentence]
    assert "Send to 1 group" not in page.content.decode()
    assert Delivery.objects.count() == 0


def test_fifteen_hundred_groups_fit_into_one_field(client_of_manager):
    for number in range(1500):
        make_group(group_id=f"g{number}")
    ids = "\n".join(f"g{number}" for number in range(1500))

    client_of_manager.post(WRITE, write_fields(groups=ids))

    assert len(Notification.objects.get().audience_values) == 1500


@pytest.fixture
def expired(client_of_manager):
    """The manager's browser after the session has expired."""
    LoginSession.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    return client_of_manager


def kept_values() -> list[dict]:
    kept = LoginSession.objects.exclude(kept_values=None)
    return list(kept.values_list("kept_values", flat=True))


def log_in_as(client, username, address):
    client.post(address, {"login": username, "password": PASSWORD})
    return client.get(WRITE)


def test_a_text_survives_the_end_of_the_session(expired):
    lost = expired.post(WRITE, write_fields(content="Three hours of work"))
    assert lost["Location"] == "/login/?next=/write/"
    page = log_in_as(expired, "lin.mei", lost["Location"])

    assert page.context["form"]["content"].value() == "Three hours of work"
    assert [str(message) for message in page.context["messages"]][-1] == (
        "You were logged out while writing. Your text is here again."
    )
    assert expired.get(WRITE).context["form"]["content"].value() is None


def test_a_poll_before_it_does_not_lose_the_text(expired):
    assert expired.post("/write/count/").status_code == 302

    lost = expired.post(WRITE, write_fields(content="Three hours of work"))
    page = log_in_as(expired, "lin.mei", lost["Location"])

    assert page.context["form"]["content"].value() == "Three hours of work"


def test_the_text_of_one_person_is_not_shown_to_the_next(expired):
    make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    lost = expired.post(WRITE, write_fields(content="Three hours of work"))

    page = log_in_as(expired, "j.okafor", lost["Location"])

    assert page.context["user"].username == "j.okafor"
    assert "Three hours of work" not in page.content.decode()
    assert kept_values() == []


def test_a_later_text_of_the_same_session_replaces_the_first(expired):
    cookie = expired.cookies["sessionid"].value
    expired.post(WRITE, write_fields(content="One"))
    expired.cookies["sessionid"] = cookie
    expired.post(WRITE, write_fields(content="Two"))

    assert [values["content"] for values in kept_values()] == ["Two"]


@pytest.mark.parametrize("cookie", [None, "unknown", "logged out"])
def test_without_a_recent_session_nothing_is_stored(client, log_in, manager, cookie):
    if cookie == "logged out":
        inside = log_in(manager)
        cookie = inside.cookies["sessionid"].value
        inside.post("/logout/")
    before = LoginSession.objects.count()
    if cookie:
        client.cookies["sessionid"] = cookie

    page = client.post(
        WRITE,
        write_fields(
            content="Three hours\n<b>of work", members="named", recipients="li"
        ),
    )

    assert page.status_code == 403
    assert LoginSession.objects.count() == before
    text = page.content.decode()
    assert "Nothing was saved. Copy what you entered, then log in." in text
    assert "Three hours\n&lt;b&gt;of work" in text
    assert [label for label, _text in page.context["entered"]] == [
        "Message",
        "Groups",
        "Member IDs",
    ]
    assert page.context["login_url"] == "/login/?next=/write/"


def test_a_text_that_is_too_long_to_keep_is_refused(expired):
    page = expired.post(WRITE, write_fields(content="x" * 65_000))

    assert page.status_code == 413
    assert "Go back, copy what you entered, and log in again." in page.content.decode()
    assert kept_values() == []


def test_an_own_draft_is_edited_and_thrown_away(client_of_manager, manager):
    make_group(group_id="hikers")
    draft = make_notification(
        sender=manager, audience="chosen", audience_values=["hikers"], recipients="anna"
    )

    form = client_of_manager.get(f"/write/{draft.pk}/").context["form"]
    assert (form["groups"].value(), form["members"].value()) == ("hikers", "named")
    gone = client_of_manager.post(f"/write/{draft.pk}/delete/", {"version": 1})

    assert gone["Location"] == WRITE
    assert Notification.objects.count() == 0


def test_pause_continue_stop(client_of_manager, manager):
    notification = make_notification(sender=manager, status="sending")
    make_delivery(notification)
    states = []
    for step in ("pause", "resume", "stop", "stop"):
        page = client_of_manager.get(f"/sent/{notification.pk}/")
        shown = {"shown": page.context["pause_shown"]}
        client_of_manager.post(f"/sent/{notification.pk}/{step}/", shown)
        notification.refresh_from_db()
        states.append(notification.status)

    assert states == ["paused", "sending", "cancelled", "cancelled"]
    assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("sending", "Sending: 3 of 3 groups done"),
        ("paused", "Paused: 3 of 3 groups done"),
        (
            "completed",
            "Finished: Tencent accepted it for 1 of 3 groups; 1 failed, 1 not "
            "confirmed.",
        ),
        (
            "cancelled",
            "Stopped: Tencent accepted it for 1 of 3 groups; 0 were not called.",
        ),
    ],
)
def test_the_headline(client_of_manager, manager, status, sentence):
    notification = make_notification(sender=manager, status=status)
    for ending in ("accepted", "failed", "unconfirmed"):
        make_delivery(notification, status=ending)

    page = client_of_manager.get(f"/sent/{notification.pk}/")
    fragment = client_of_manager.get(f"/sent/{notification.pk}/status/")

    assert page.context["headline"] == sentence
    assert "This group no longer exists." in fragment.content.decode()
    assert "No answer came in time." in fragment.content.decode()
    assert fragment.headers.get("X-Done") == (
        "1" if status in ("completed", "cancelled") else None
    )


def test_a_paused_notification_shows_the_reason(client_of_manager, manager):
    notification = make_notification(
        sender=manager,
        status="paused",
        paused_reason="account_code",
        paused_by="",
        paused_code=70009,
    )

    text = client_of_manager.get(f"/sent/{notification.pk}/").content.decode()

    assert "The secret key does not belong to this app." in text
    assert "Continue sending" in text


def test_all_groups_accepted(client_of_manager, manager):
    notification = make_notification(sender=manager, status="completed")
    make_delivery(notification, status="accepted")

    page = client_of_manager.get(f"/sent/{notification.pk}/")

    assert page.context["headline"] == "Finished: Tencent accepted it for all 1 groups."


PAGES = [
    "/",
    "/write/",
    "/write/{draft}/",
    "/write/{draft}/check/",
    "/sent/{sent}/",
    "/sent/{sent}/status/",
    "/history/",
    "/history/deliveries/",
    "/history/deliveries/{delivery}/",
    "/notifications/chatgroup/",
    "/auth/user/",
    "/auth/group/",
]
EXPECTED = {
    permissions.COMMUNITY_MANAGER: [
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        403,
        403,
    ],
    permissions.AUDITOR: [200, 403, 403, 403, 200, 200, 200, 200, 200, 200, 403, 403],
    permissions.GROUP_ADMINISTRATOR: [200, *[403] * 8, 200, 403, 403],
    permissions.PEOPLE_ADMINISTRATOR: [200, *[403] * 9, 200, 200],
    None: [302] * 12,
}


@pytest.mark.parametrize("role", EXPECTED, ids=str)
def test_who_sees_which_page(client, log_in, role):
    writer = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    draft = make_notification(sender=writer)
    sent = make_notification(sender=writer, status="completed")
    delivery = make_delivery(sent, status="failed")
    make_attempt(delivery, outcome="rejected")
    if role == permissions.COMMUNITY_MANAGER:
        client = log_in(writer)
    elif role:
        client = log_in(make_user(role, username="somebody"))
    numbers = {"draft": draft.pk, "sent": sent.pk, "delivery": delivery.pk}

    answers = [client.get(page.format(**numbers)) for page in PAGES]

    assert [answer.status_code for answer in answers] == EXPECTED[role]
    assert all("default-src 'none'" in a["Content-Security-Policy"] for a in answers)


def test_a_refusal_has_a_message(log_in, manager):
    draft = make_notification(sender=manager)
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    colleague = log_in(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))

    pages = [
        auditor.get("/write/").content.decode(),
        colleague.get(f"/write/{draft.pk}/").content.decode(),
    ]

    assert "Your login may not do this." in pages[0]
    assert "This is a draft of lin.mei, who can hand it over to you." in pages[1]


def test_a_draft_has_no_progress(client_of_manager, manager):
    draft = make_notification(sender=manager)

    assert client_of_manager.get(f"/sent/{draft.pk}/").status_code == 404


def test_the_overview_takes_as_many_queries_for_one_row_as_for_three(
    client_of_manager, manager, django_assert_max_num_queries
):
    def rows(count: int) -> int:
        for _n in range(count):
            make_delivery(
                make_notification(sender=manager, status="completed"), status="failed"
            )
        with django_assert_max_num_queries(20) as queries:
            assert client_of_manager.get("/").status_code == 200
        return len(queries)

    assert rows(1) == rows(2)
