"""Controls of a sent notification, and the switch for all sending."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import permissions
from notifications.delivery import controls as delivery_controls
from notifications.delivery.controls import pause_shown
from notifications.models import AuditEntry, ChatGroup, Notification, SendingSwitch
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def client(manager, log_in):
    return log_in(manager)


def sentences(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_pause_with_a_reason_that_is_shown(client, manager):
    notification = make_notification(sender=manager, status="sending")

    page = client.post(
        f"/sent/{notification.pk}/pause/", {"note": "wrong date"}, follow=True
    )

    assert page.redirect_chain == [(f"/sent/{notification.pk}/", 302)]
    assert "Paused by a person (lin.mei): wrong date" in page.content.decode()


def test_a_reason_that_is_too_long_changes_nothing(client, manager):
    notification = make_notification(sender=manager, status="sending")

    page = client.post(
        f"/sent/{notification.pk}/pause/", {"note": "x" * 201}, follow=True
    )

    assert sentences(page) == ["The note has 201 characters; the limit is 200."]
    notification.refresh_from_db()
    assert notification.status == "sending"


CONTROLLED = ["resume", "schedule", "send-again/failed", "send-again/unconfirmed"]


@pytest.mark.parametrize("status", ["sending", "paused", "scheduled", "completed"])
def test_a_colleague_gets_to_stop_and_to_take_over(status, manager, log_in):
    notification = make_notification(
        sender=manager, status=status, scheduled_for=timezone.now() + timedelta(days=1)
    )
    make_delivery(notification, status="failed", error_code=60007)
    colleague = log_in(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))

    shown = colleague.get(f"/sent/{notification.pk}/").content.decode()

    assert "Take over now" in shown
    assert ("Controlled by lin.mei." in shown) == (status != "completed")
    assert ("Stop now" in shown) == (status != "completed")
    assert ("Pause now" in shown) == (status in ("sending", "scheduled"))
    for text in ("Continue sending", "Change the schedule", "failed group again"):
        assert text not in shown
    for step in CONTROLLED:
        response = colleague.post(f"/sent/{notification.pk}/{step}/")
        assert response.status_code == 403
    assert "lin.mei controls this notification." in response.content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
def test_without_the_permission_to_send_there_is_no_control(role, manager, log_in):
    notification = make_notification(sender=manager, status="paused")
    stranger = log_in(make_user(role, username="wang.fang"))

    for step in (*CONTROLLED, "pause", "stop", "take-over"):
        response = stranger.post(f"/sent/{notification.pk}/{step}/")
        assert response.status_code == 403
    shown = stranger.get(f"/sent/{notification.pk}/").content.decode()
    assert "Take over" not in shown
    assert "Stop now" not in shown

    notification.refresh_from_db()
    assert (notification.status, notification.controlled_by) == ("paused", None)
    assert not AuditEntry.objects.exists()


def test_who_took_it_over_has_the_controls(manager, client, log_in):
    notification = make_notification(sender=manager, status="paused")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    browser = log_in(colleague)

    browser.post(f"/sent/{notification.pk}/take-over/")
    shown = browser.get(f"/sent/{notification.pk}/").content.decode()
    assert "Controlled by j.okafor." in shown
    assert "Took it over from lin.mei." in shown
    assert "Continue sending" in shown
    assert "Take over" not in shown
    browser.post(
        f"/sent/{notification.pk}/resume/", {"shown": pause_shown(notification)}
    )

    notification.refresh_from_db()
    assert notification.status == "sending"
    assert (notification.sender, notification.sender_name) == (manager, "lin.mei")
    assert client.post(f"/sent/{notification.pk}/resume/").status_code == 403
    assert "Take over now" in client.get(f"/sent/{notification.pk}/").content.decode()


@pytest.mark.parametrize("step", ["pause", "resume", "stop", "take-over"])
def test_a_link_changes_nothing(step, client, manager):
    notification = make_notification(sender=manager, status="paused")

    assert client.get(f"/sent/{notification.pk}/{step}/").status_code == 405


@pytest.mark.parametrize("step", ["pause", "stop", "take-over", "resume"])
def test_a_draft_has_no_controls(step, client, manager):
    draft = make_notification(sender=manager)

    assert client.post(f"/sent/{draft.pk}/{step}/").status_code == 404


def test_a_schedule_is_shown_and_changed(client, manager, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    start = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=start
    )
    make_delivery(notification)
    timezone.activate("Asia/Shanghai")
    later = timezone.localtime(start + timedelta(hours=3))

    address = f"/sent/{notification.pk}/schedule/"
    made_from = client.get(address).context["form"]["made_from"].value()

    page = client.post(
        address,
        {
            "start": later.strftime("%Y-%m-%dT%H:%M"),
            "not_after": "",
            "made_from": made_from,
        },
        follow=True,
    )

    assert page.context["headline"] == (
        f"Scheduled for {later:%Y-%m-%d %H:%M:%S} Asia/Shanghai: 1 group"
    )
    timezone.deactivate()


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"start": ""}, "start", "This field is required."),
        (
            {"start": "0001-01-01T00:00+14:00"},
            "start",
            "Not a time. Write it like 2026-11-23 19:15.",
        ),
        ({"start": "tomorrow"}, "start", "Not a time. Write it like 2026-11-23 19:15."),
        (
            {"start": "2020-01-01T10:00"},
            "start",
            "2020-01-01 10:00:00 UTC is over. Choose a later time.",
        ),
        (
            {"start": "9999-12-31T23:59"},
            "start",
            "9999-12-31 23:59:00 UTC is more than a year ahead.",
        ),
        (
            {"not_after": "2020-01-01T10:00"},
            "not_after",
            "2020-01-01 10:00:00 UTC is over. Choose a later time.",
        ),
    ],
)
def test_a_time_that_cannot_be(client, manager, values, field, sentence):
    start = timezone.now() + timedelta(days=2)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=start
    )
    address = f"/sent/{notification.pk}/schedule/"
    usual = {
        "start": start.strftime("%Y-%m-%dT%H:%M"),
        "not_after": "",
        "made_from": client.get(address).context["form"]["made_from"].value(),
    }

    page = client.post(address, usual | values)

    assert page.context["form"].errors == {field: [sentence]}
    notification.refresh_from_db()
    assert notification.scheduled_for == start


def test_an_old_page_drops_no_newer_end_of_a_schedule(client, manager):
    start = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=start
    )
    make_delivery(notification)
    address = f"/sent/{notification.pk}/schedule/"
    old = {
        "start": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "not_after": "",
        "made_from": client.get(address).context["form"]["made_from"].value(),
    }
    end = start + timedelta(hours=2)
    delivery_controls.reschedule(manager, notification.pk, start=start, not_after=end)

    page = client.post(address, old)

    assert page.context["form"].errors == {
        "not_after": [
            f"Changed meanwhile from “–” to “{end:%Y-%m-%d %H:%M:%S}”. Look again; to "
            "keep your value, save once more."
        ]
    }
    notification.refresh_from_db()
    assert (notification.scheduled_for, notification.not_after) == (start, end)
    again = page.context["form"]["made_from"].value()
    client.post(address, old | {"made_from": again})
    notification.refresh_from_db()
    assert notification.not_after is None


@pytest.mark.parametrize("status", ["sending", "scheduled"])
def test_an_old_page_ends_no_newer_pause(client, manager, status):
    ahead = timezone.now() + timedelta(days=2) if status == "scheduled" else None
    notification = make_notification(sender=manager, status=status, scheduled_for=ahead)
    make_delivery(notification)
    address = f"/sent/{notification.pk}/resume/"
    delivery_controls.pause(manager, notification.pk, note="lunch")
    old = {"shown": client.get(f"/sent/{notification.pk}/").context["pause_shown"]}
    delivery_controls.resume(manager, notification.pk)
    delivery_controls.pause(manager, notification.pk, note="wrong date")

    page = client.post(address, old, follow=True)

    assert sentences(page) == [
        "This has changed since the page was shown. Look again, then confirm."
    ]
    notification.refresh_from_db()
    assert notification.status == "paused"
    text = page.content.decode()
    assert f'name="shown" value="{page.context["pause_shown"]}"' in text
    client.post(address, {"shown": page.context["pause_shown"]})
    notification.refresh_from_db()
    assert notification.status == status


def test_an_old_page_lifts_no_newer_stop_of_all_sending(client, manager, log_in):
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    client.post("/sending/", {"turn": "off"})
    old = client.get("/sending/").context["shown"]
    delivery_controls.set_sending_switch(colleague, is_off=False)
    delivery_controls.set_sending_switch(colleague, is_off=True)

    page = client.post("/sending/", {"turn": "on", "shown": old}, follow=True)

    assert SendingSwitch.present().is_off
    assert sentences(page) == [
        "This has changed since the page was shown. Look again, then confirm."
    ]
    shown = page.context["shown"]
    assert f'name="shown" value="{shown}"' in page.content.decode()
    client.post("/sending/", {"turn": "on", "shown": shown})
    assert not SendingSwitch.present().is_off


def test_try_failed_again(client, manager):
    first = make_notification(sender=manager, status="completed")
    for n in range(2):
        make_delivery(first, status="failed", error_code=60007, portion=n + 1)
    make_delivery(first, status="failed", error_code=10010)

    page = client.get(f"/sent/{first.pk}/")
    assert page.context["again"] == {"failed": 2, "unconfirmed": 0}
    assert "Try 2 failed groups again" in page.content.decode()

    page = press_send_again(client, first, "failed")

    again = Notification.objects.get(resend_of=first)
    assert page.redirect_chain == [(f"/sent/{again.pk}/", 302)]
    assert page.context["headline"] == "Sending: 0 of 2 groups done"
    assert f'href="/sent/{first.pk}/"' in page.content.decode()
    page = client.get(f"/sent/{first.pk}/")
    assert page.context["again"] == {"failed": 0, "unconfirmed": 0}
    assert f'href="/sent/{again.pk}/"' in page.content.decode()


def form_of_send_again(client, first, kind) -> dict[str, str]:
    """The fields of the page, as a browser posts them."""
    page = client.get(f"/sent/{first.pk}/send-again/{kind}/")
    return {
        "digest": page.context["shown"].digest,
        "token": str(page.context["form"]["token"].value()),
        "not_after": page.context["form"]["not_after"].value() or "",
    }


def press_send_again(client, first, kind, **values):
    fields = form_of_send_again(client, first, kind) | values
    return client.post(f"/sent/{first.pk}/send-again/{kind}/", fields, follow=True)


def test_what_did_not_confirm_is_shown_with_a_warning(client, manager):
    first = make_notification(sender=manager, status="completed")
    row = make_delivery(first, status="unconfirmed")

    page = client.get(f"/sent/{first.pk}/send-again/unconfirmed/")
    assert page.context["groups"] == [(row.group_name, "Public")]
    assert "members could see it twice" in page.content.decode()
    assert Notification.objects.count() == 1

    press_send_again(client, first, "unconfirmed")

    again = Notification.objects.get(resend_of=first)
    assert again.deliveries.get().group_id == row.group_id


def test_a_double_click_sends_again_once(client, manager):
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="unconfirmed")
    fields = form_of_send_again(client, first, "unconfirmed")
    address = f"/sent/{first.pk}/send-again/unconfirmed/"

    pages = [client.post(address, fields).url for _click in range(2)]

    again = Notification.objects.get(resend_of=first)
    assert pages == [f"/sent/{again.pk}/"] * 2


def test_the_end_of_the_first_one_is_offered_while_it_is_ahead(client, manager):
    end = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    first = make_notification(sender=manager, status="completed", not_after=end)
    make_delivery(first, status="unconfirmed")

    press_send_again(client, first, "unconfirmed", not_after=f"{end:%Y-%m-%dT%H:%M}")
    assert Notification.objects.get(resend_of=first).not_after == end

    past = make_notification(
        sender=manager, status="completed", not_after=timezone.now()
    )
    make_delivery(past, status="unconfirmed")
    page = client.get(f"/sent/{past.pk}/send-again/unconfirmed/")
    assert page.context["form"]["not_after"].value() is None


def test_an_end_in_the_past_is_refused_on_the_page(client, manager):
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="unconfirmed")

    page = press_send_again(client, first, "unconfirmed", not_after="2020-01-01T10:00")

    assert list(page.context["form"].errors) == ["not_after"]
    assert Notification.objects.count() == 1


def test_nothing_to_send_again(client, manager):
    first = make_notification(sender=manager, status="completed")

    page = client.get(f"/sent/{first.pk}/send-again/failed/")
    assert page.url == f"/sent/{first.pk}/"
    page = client.post(f"/sent/{first.pk}/send-again/failed/", follow=True)

    assert sentences(page) == [
        "There is no group left that this could be sent to again."
    ]
    assert client.get(f"/sent/{first.pk}/send-again/other/").status_code == 404


def test_groups_that_changed_are_shown_again(client, manager):
    first = make_notification(sender=manager, status="completed")
    row = make_delivery(first, status="unconfirmed")
    fields = form_of_send_again(client, first, "unconfirmed")
    ChatGroup.objects.filter(group_id=row.group_id).update(name="New name")

    page = client.post(f"/sent/{first.pk}/send-again/unconfirmed/", fields, follow=True)

    assert sentences(page) == [
        "The groups changed after this page was shown. Look again, then send."
    ]
    assert page.context["groups"] == [("New name", "Public")]
    assert Notification.objects.count() == 1


def test_the_switch_is_shown_on_every_page(client):
    make_group()

    client.post("/sending/", {"turn": "off"})

    strip = "All sending is stopped, by lin.mei since"
    for address in ("/", "/write/", "/sending/", "/notifications/chatgroup/"):
        assert strip in client.get(address).content.decode()
    shown = client.get("/sending/").context["shown"]
    client.post("/sending/", {"turn": "on", "shown": shown})
    assert strip not in client.get("/").content.decode()
    assert not SendingSwitch.present().is_off
    changes = client.get("/sending/").context["changes"]
    assert [entry.action for entry, _label in changes] == ["all_allowed", "all_stopped"]


def test_an_auditor_sees_the_strip_and_has_no_switch(client, log_in):
    client.post("/sending/", {"turn": "off"})
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    page = auditor.get("/").content.decode()
    assert "All sending is stopped" in page
    assert "Stop all" not in page
    assert auditor.get("/sending/").status_code == 403
    assert auditor.post("/sending/", {"turn": "on"}).status_code == 403
    assert SendingSwitch.present().is_off


def test_a_stop_is_shown_as_such_when_its_last_calls_have_ended(client, manager):
    notification = make_notification(sender=manager, status="sending")
    make_delivery(notification, status="failed", error_code=60007)
    make_delivery(notification)
    last = [make_delivery(notification, status="sending") for _n in range(2)]

    client.post(f"/sent/{notification.pk}/stop/")

    url = f"/sent/{notification.pk}/"
    page, part = client.get(url), client.get(f"{url}status/")
    assert page.context["headline"] == "Stopping: 2 calls are still in progress."
    assert "data-url" in page.content.decode()  # the page asks again
    assert "Stop sending…" not in page.content.decode()
    assert "failed group again" not in page.content.decode()
    assert "X-Done" not in part
    for row in last:
        row.status, row.error_code = "accepted", 0
        row.owner, row.finished_at = None, timezone.now()
        row.save()
    page, part = client.get(url), client.get(f"{url}status/")
    assert page.context["headline"] == (
        "Stopped: Tencent accepted it for 2 of 4 groups; 1 were not called."
    )
    assert "data-url" not in page.content.decode()
    assert "Try 1 failed group again" in page.content.decode()
    assert part["X-Done"] == "1"


@pytest.mark.parametrize("count", [1, 3])
def test_the_progress_page_takes_one_number_of_queries(
    count, client, manager, django_assert_num_queries
):
    notification = make_notification(sender=manager, status="completed")
    for _n in range(count):
        make_delivery(notification, status="failed", error_code=60007)
        make_delivery(notification, status="unconfirmed")
    client.get("/")

    with django_assert_num_queries(QUERIES):
        client.get(f"/sent/{notification.pk}/")


QUERIES = 22


def test_a_doubt_is_cleared_up_on_its_page(client, manager, log_in):
    notification = make_notification(sender=manager, status="completed")
    row = make_delivery(notification, status="unconfirmed")
    address = f"/history/deliveries/{row.pk}/"
    assert client.get(address).context["may_resolve"] is True

    page = client.post(f"{address}resolve/", {"note": "Anna saw it"}, follow=True)

    assert sentences(page) == ["Written down beside the delivery."]
    assert [entry.detail for entry in page.context["resolutions"]] == [
        {"note": "Anna saw it"}
    ]
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    page = auditor.get(address)
    assert page.context["may_resolve"] is False
    assert "Anna saw it" in page.content.decode()
    assert auditor.post(f"{address}resolve/", {"note": "no"}).status_code == 403
    assert AuditEntry.objects.count() == 1


def test_an_empty_note_says_what_to_do(client, manager):
    notification = make_notification(sender=manager, status="completed")
    row = make_delivery(notification, status="unconfirmed")

    page = client.post(f"/history/deliveries/{row.pk}/resolve/", follow=True)

    assert sentences(page) == ["Write what you found out."]


def test_a_refused_send_keeps_the_time_that_was_chosen(client, manager):
    make_group(group_id="a")
    draft = make_notification(sender=manager, audience="every")
    start = timezone.localtime() + timedelta(days=1)

    page = client.post(
        f"/write/{draft.pk}/check/",
        {
            "digest": "of other groups",
            "sure": "on",
            "moment": "later",
            "start": start.strftime("%Y-%m-%dT%H:%M"),
            "not_after": "",
        },
    )

    assert page.context["has_changed"]
    form = page.context["form"]
    assert (form["moment"].value(), form["start"].value()) == (
        "later",
        start.strftime("%Y-%m-%dT%H:%M"),
    )
    assert form["sure"].value() is False
    assert form["digest"].value() != "of other groups"
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_sending_again_during_the_last_calls_is_refused_in_words(client, manager):
    notification = make_notification(sender=manager, status="cancelled")
    make_delivery(notification, status="failed", error_code=60007)
    make_delivery(notification, status="sending")
    url = f"/sent/{notification.pk}/send-again/failed/"
    digest = re.search(r'name="digest" value="(\w+)"', client.get(url).content.decode())

    response = client.post(url, {"digest": digest[1]}, follow=True)

    assert response.status_code == 200
    assert "Calls are still in progress." in response.content.decode()
    assert Notification.objects.count() == 1
