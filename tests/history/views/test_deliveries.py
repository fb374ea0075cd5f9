"""The list of deliveries, and the page of a delivery."""

import pytest

from notifications import audit_log, permissions
from notifications.delivery.audit_events import LATE_ANSWER
from notifications.models import AuditEntry, ChatGroup, Delivery
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_user,
)

pytestmark = pytest.mark.django_db

DELIVERIES = "/history/deliveries/"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_row_says_when_where_what_who_and_why(auditor):
    group = make_group(name="直播间", type="AVChatRoom", group_id="@TGS#live")
    row = make_delivery(group=group, status="failed")

    text = words(auditor.get(DELIVERIES))

    for part in (
        f'<a href="/history/deliveries/{row.pk}/">',
        "2026-03-02 09:30:00",
        '<span class="main">直播间</span>',
        'Live room · <span class="code">@TGS#live</span>',
        "Maintenance tonight from 23:00.",
        "lin.mei",
        '<span class="badge s-failed">Failed</span>',
        "10010 · This group no longer exists.",
        "1 entry, newest first",
    ):
        assert part in text


def test_the_search_takes_two_chinese_characters(auditor):
    row = make_delivery(group=make_group(name="直播间：李姐开播"))
    make_delivery(group=make_group(name="徒步"))

    page = auditor.get(DELIVERIES, {"q": "直播"})

    assert [listed for listed, *_others in page.context["rows"]] == [row]


def test_more_than_five_hundred_groups_match(auditor):
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name="Plaza", type="Public") for n in range(501)
    )

    page = auditor.get(DELIVERIES, {"q": "plaza"})

    assert page.context["form"].errors == {
        "q": ["More than 500 groups match. Type more of the name."]
    }


def test_codes_and_senders_are_offered_in_words(auditor):
    make_user(permissions.COMMUNITY_MANAGER, first_name="Lin", last_name="Mei")
    make_delivery(status="failed")
    other = make_notification(status="sending", sender_name="left.long.ago")
    make_delivery(other, status="accepted", sender_name="left.long.ago")

    fields = auditor.get(DELIVERIES).context["form"].fields

    assert fields["code"].choices[1:] == [
        ("10010", "10010 · This group no longer exists.")
    ]
    assert fields["sender"].choices[1:] == [
        ("left.long.ago", "left.long.ago"),
        ("lin.mei", "lin.mei · Lin Mei"),
    ]


def test_more_than_ten_thousand_entries(auditor):
    notification = make_notification(status="sending")
    Delivery.objects.bulk_create(
        Delivery(
            notification=notification,
            group_id=f"g{n}",
            group_name="Plaza",
            group_type="Public",
            sender_name="lin.mei",
            created_at=MOMENT,
            not_before=MOMENT,
        )
        for n in range(10_001)
    )

    assert auditor.get(DELIVERIES).context["count"] == (
        "More than 10,000 entries, newest first"
    )


def test_the_way_back_keeps_filters_and_page(auditor):
    row = make_delivery(status="failed")
    query = f"?status=failed&code=10010&before={row.pk + 1}"

    text = words(auditor.get(DELIVERIES + query))
    address = f"{DELIVERIES}{row.pk}/{query}"
    assert address.replace("&", "&amp;") in text
    back = auditor.get(address + "&next=https://evil.example").context["back"]

    assert back == query


def test_a_failed_delivery_in_full(auditor):
    notification = make_notification(status="completed", recipients="anna\nbo")
    row = make_delivery(
        notification, make_group(name="Hikers", group_id="hikers"), status="failed"
    )
    make_attempt(row, outcome="unconfirmed")
    make_attempt(row, outcome="rejected")

    page = auditor.get(f"{DELIVERIES}{row.pk}/")

    assert page.context["title"] == "Delivery to Hikers"
    text = words(page)
    for part in (
        "This group no longer exists.",
        "Tencent’s own text: group not exist or has been dismissed",
        "Only these members:",
        "anna, bo",
        f'href="/sent/{notification.pk}/"',
        "POST /v4/group_open_http_svc/send_group_system_notification",
        "&quot;ToMembers_Account&quot;: [ &quot;anna&quot;, &quot;bo&quot; ]",
        "&quot;ErrorCode&quot;: 10010",
        "Answer to attempt 1 </h3> <p>No answer was received.</p>",
        "Answer to attempt 2 </h3> <p> HTTP status",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("queued", "It has not been called yet."),
        ("accepted", "Only members who were online could see it."),
        ("unconfirmed", "Ask a member of the group before you send again"),
        ("cancelled", "Sending was stopped before this group was called."),
    ],
)
def test_what_a_result_means(auditor, status, sentence):
    row = make_delivery(status=status)

    assert sentence in words(auditor.get(f"{DELIVERIES}{row.pk}/"))


def test_a_late_answer_stands_beside_the_result(auditor):
    row = make_delivery(status="unconfirmed")
    audit_log.write(
        LATE_ANSWER,
        "worker 3",
        notification=row.notification_id,
        delivery=row.pk,
        outcome="rejected",
        reason="",
        error_code=10010,
        error_info="group not exist",
    )

    text = words(auditor.get(f"{DELIVERIES}{row.pk}/"))

    assert (
        "An answer came after the delivery was given up: This group no longer exists. "
        "(10010) Tencent’s own text: group not exist"
    ) in text


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_a_delivery_that_does_not_exist(auditor, number):
    assert auditor.get(f"{DELIVERIES}{number}/").status_code == 404


def test_the_row_of_a_draft_is_not_shown(auditor):
    row = make_delivery(make_notification(status="draft"))

    assert auditor.get(f"{DELIVERIES}{row.pk}/").status_code == 404


def test_a_delivery_is_for_those_who_may_see_the_history(log_in):
    row = make_delivery()
    client = log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="xu"))

    assert client.get(f"{DELIVERIES}{row.pk}/").status_code == 403


def test_reading_writes_nothing(auditor):
    row = make_delivery(status="failed")
    before = Delivery.objects.values().get()

    auditor.get(DELIVERIES)
    auditor.get(f"{DELIVERIES}{row.pk}/")

    assert Delivery.objects.values().get() == before
    assert AuditEntry.objects.count() == 0
