"""The channel and the options of a message on the Write and Check pages."""

import pytest

from notifications.compose.checked import checked_of
from notifications.compose.services import sender_check
from notifications.models import Delivery, Notification
from tests.factories import (
    make_capability,
    make_delivery,
    make_group,
    make_notification,
    write_fields,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MESSAGE = {"channel": "group_message", "push": "on"}


@pytest.fixture(autouse=True)
def hikers():
    return make_group(group_id="hikers", name="Hikers")


def write(manager, **fields):
    return manager.post("/write/", write_fields(**fields))


def test_the_options_are_saved_and_shown_again(manager):
    written = write(
        manager,
        **MESSAGE,
        mention_all="on",
        priority="Low",
        push_title="Tonight",
        image_url="https://example.com/a.png",
        image_width="640",
        image_height="480",
        custom_data='{"a": 1}',
    )

    draft = Notification.objects.get()
    assert draft.options.as_json() == {
        "custom_data": '{"a": 1}',
        "image_height": 480,
        "image_url": "https://example.com/a.png",
        "image_width": 640,
        "mention_all": True,
        "priority": "Low",
        "push_title": "Tonight",
    }
    checked = manager.get(written["Location"])
    assert checked.context["options"][0] == ("Mention everyone (@all)", "Yes")
    form = manager.get(f"/write/{draft.pk}/").context["form"]
    assert form["channel"].value() == "group_message"
    assert form["image_width"].value() == 640
    assert form["push"].value() is True


def test_a_form_without_a_channel_has_the_default(manager, settings):
    settings.IM_DEFAULT_CHANNEL = "group_message"

    assert write(manager, push="on").status_code == 302

    assert Notification.objects.get().channel == "group_message"


def test_options_of_another_channel_are_ignored(manager):
    written = write(
        manager, channel="system_notification", mention_all="on", image_width="wide"
    )

    assert written.status_code == 302
    assert Notification.objects.get().message_options == ""


@pytest.mark.parametrize(
    ("fields", "name", "error"),
    [
        ({"channel": "mail"}, "channel", "“mail” is not a channel."),
        # Recalls and corrections are not written here.
        ({"channel": "recall"}, "channel", "“recall” is not a channel."),
        ({"channel": "correction"}, "channel", "“correction” is not a channel."),
        (MESSAGE | {"image_width": "wide"}, "image_width", "Enter a whole number."),
        (
            {"channel": "group_message", "push_title": "T"},
            "push_title",
            "The push is off. Remove its title, or switch the push on.",
        ),
    ],
)
def test_errors_are_beside_their_fields(manager, fields, name, error):
    page = write(manager, **fields)

    assert page.context["form"].errors == {name: [error]}
    assert '<details class="card aligned folded" open>' in page.content.decode() or (
        name == "channel"
    )


def test_the_draft_of_a_refused_channel_is_changed_by_a_person_only(manager, person):
    draft = make_notification(sender=person)
    make_capability("system_notification", "no", error_code=10026)

    check = manager.get(f"/write/{draft.pk}/check/")
    assert len(check.context["problems"]) == 1
    assert "Send to 1 group" not in check.content.decode()

    # Both are shown, since the draft has the refused one.
    page = manager.get(f"/write/{draft.pk}/")
    assert page.context["form"]["channel"].value() == "system_notification"
    assert [c.word.value for c in page.context["channels"]] == [
        "system_notification",
        "group_message",
    ]
    refused = write(manager, channel="system_notification")
    assert list(refused.context["form"].errors) == ["channel"]
    assert manager.get("/write/").context["form"]["channel"].value() == "group_message"


def test_the_count_follows_the_channel(manager):
    make_group(group_id="all", name="All", type="BChatRoom")
    fields = write_fields(audience="every", **MESSAGE)

    counted = manager.post("/write/count/", fields).json()

    assert (counted["groups"], counted["left_out"]) == (
        "1 group",
        "Not reached by this channel: 1",
    )
    assert "was not probed" in counted["reason"]


def test_a_sender_that_does_not_exist(
    manager, person, sandbox, worker_answers, monkeypatch
):
    monkeypatch.setattr(sender_check, "has_live_worker", lambda: True)
    draft = make_notification(
        sender=person,
        channel="group_message",
        audience="chosen",
        audience_values=["hikers"],
        message_options='{"from_account": "nobody"}',
    )
    address = f"/write/{draft.pk}/check/"
    form = {"digest": checked_of(person, draft).digest()}

    page = manager.post(address, form)

    assert "There is no account nobody in this application." in page.content.decode()
    assert not list(page.context["messages"])
    assert not Delivery.objects.exists()

    sandbox.add_group("hikers", "Public", members=["nobody"])
    assert manager.post(address, form)["Location"] == f"/sent/{draft.pk}/"


def test_a_resend_checks_the_sender_again(
    manager, person, hikers, sandbox, worker_answers, monkeypatch
):
    monkeypatch.setattr(sender_check, "has_live_worker", lambda: True)
    first = make_notification(
        sender=person,
        status="completed",
        channel="group_message",
        message_options='{"from_account": "nobody"}',
    )
    make_delivery(
        first, hikers, status="unconfirmed", channel="group_message", random=1
    )
    address = f"/sent/{first.pk}/send-again/unconfirmed/"
    page = manager.get(address)
    assert "Group message" in page.content.decode()
    form = {"digest": page.context["shown"].digest}

    refused = manager.post(address, form, follow=True)
    assert "There is no account nobody in this application." in refused.content.decode()

    sandbox.add_group("hikers", "Public", members=["nobody"])
    manager.post(address, form)
    assert Notification.objects.filter(resend_of=first).exists()
