"""Drafts on two channels: each rule has a sentence beside its field."""

import pytest
from django.core.exceptions import ValidationError

from notifications import permissions
from notifications.compose.checked import ChangedSinceCheck, checked_of
from notifications.compose.services import create_deliveries
from notifications.compose.services.drafts import Draft, check_draft, save_draft
from notifications.compose.services.resend import preview, send_again
from notifications.compose.services.send import send
from notifications.delivery.resendable import ResendKind
from notifications.models import (
    AuditEntry,
    Capability,
    Delivery,
    DraftVersion,
    Notification,
)
from notifications.tencent.message_options import MessageOptions
from tests.factories import (
    make_capability,
    make_delivery,
    make_group,
    make_notification,
    make_user,
)

pytestmark = pytest.mark.django_db

MESSAGE = "group_message"
IMAGE = "https://example.com/a.png"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


def draft_of(*groups: str, **kwargs) -> Draft:
    options = {
        name: kwargs.pop(name)
        for name in list(kwargs)
        if name in MessageOptions.__dataclass_fields__
    }
    values = {
        "content": "Hi",
        "audience": "chosen",
        "audience_values": groups,
        "channel": MESSAGE,
        "options": MessageOptions(**options),
    }
    return Draft(**values | kwargs)


def errors_of(draft: Draft) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        check_draft(draft)
    return raised.value.message_dict


def make_types() -> None:
    for kind in ("Public", "ChatRoom", "AVChatRoom", "BChatRoom", "Community"):
        make_group(group_id=kind.lower(), name=f"A {kind}", type=kind)


@pytest.mark.parametrize(
    ("groups", "options", "field", "sentence"),
    [
        (
            ["public", "bchatroom"],
            {},
            "groups",
            "The channel “Group message” does not reach this group: A BChatRoom. Remove "
            "it, or choose another channel.",
        ),
        (
            ["public", "avchatroom"],
            {"mention_all": True},
            "mention_all",
            "A AVChatRoom has no @all. Remove it, or clear this option.",
        ),
        (
            ["avchatroom"],
            {"online_only": True},
            "online_only",
            "A AVChatRoom cannot be sent to for online members only. Remove it, or clear "
            "this option.",
        ),
        (
            ["chatroom", "avchatroom"],
            {"no_unread": True},
            "no_unread",
            "A ChatRoom, A AVChatRoom do not take this option. Remove them, or clear the "
            "option.",
        ),
        (
            ["avchatroom"],
            {"no_last_message": True},
            "no_last_message",
            "A AVChatRoom does not take this option. Remove it, or clear the option.",
        ),
    ],
)
def test_chosen_groups_whose_type_refuses_it_are_named(
    groups, options, field, sentence
):
    make_types()

    assert errors_of(draft_of(*groups, **options)) == {field: [sentence]}


@pytest.mark.parametrize(
    ("options", "field", "part"),
    [
        ({"from_account": "王五"}, "from_account", "Not a user ID"),
        ({"priority": "Urgent"}, "priority", "Choose one of High, Normal and Low."),
        (
            {"online_only": True, "no_unread": True},
            "no_unread",
            "never counted as unread",
        ),
        (
            {"online_only": True, "no_last_message": True},
            "no_last_message",
            "never the last one",
        ),
        (
            {"push": False, "push_title": "Hi"},
            "push_title",
            "The push is off. Remove its title, or switch the push on.",
        ),
        ({"push": False, "push_text": "Hi"}, "push_text", "The push is off."),
        ({"online_only": True, "push_title": "Hi"}, "push_title", "is not pushed"),
        ({"online_only": True, "push_text": "Hi"}, "push_text", "is not pushed"),
        ({"push_title": "a\tb"}, "push_title", "control character"),
        ({"push_text": "a\ud800"}, "push_text", "control character"),
        ({"image_url": "a.png", "image_width": 1, "image_height": 1}, "image_url", "Not the URL"),
        ({"image_width": 3}, "image_url", "Enter the URL of the image"),
        ({"image_url": IMAGE}, "image_width", "Enter the width and the height"),
        (
            {"image_url": IMAGE, "image_width": 3, "image_height": -1},
            "image_width",
            "in pixels, from 1",
        ),
        ({"custom_data": "{a"}, "custom_data", "This is not JSON."),
        ({"custom_data": '"\ud800"'}, "custom_data", "control character"),
        (
            {"custom_data": '"' + "x" * 12_290 + '"'},
            "custom_data",
            "6 bytes too long together; the limit is 12288.",
        ),
    ],
)  # fmt: skip
def test_options_that_contradict_each_other(options, field, part):
    make_types()

    errors = errors_of(draft_of("public", **options))

    assert list(errors) == [field]
    assert part in errors[field][0]


def test_options_that_are_valid_are_stored(manager):
    make_types()
    options = {
        "from_account": "announcements",
        "mention_all": True,
        "priority": "High",
        "push_title": "周末",
        "image_url": IMAGE,
        "image_width": 640,
        "image_height": 480,
        "custom_data": '{"a": 1}',
    }

    draft = save_draft(manager, draft_of("public", "community", **options))

    draft.refresh_from_db()
    assert draft.channel == MESSAGE
    assert draft.options == MessageOptions(**options)
    version = DraftVersion.objects.get()
    assert (version.channel, version.message_options) == (
        MESSAGE,
        draft.message_options,
    )


def test_defaults_are_stored_as_an_empty_text(manager):
    make_types()

    assert save_draft(manager, draft_of("public")).message_options == ""


def test_a_change_of_an_option_is_a_new_version(manager):
    make_types()
    draft = save_draft(manager, draft_of("public"))
    entered = draft_of("public", mention_all=True, version=1)

    save_draft(manager, entered, notification_id=draft.pk)
    save_draft(manager, entered, notification_id=draft.pk)

    draft.refresh_from_db()
    assert (draft.version, draft.options.mention_all) == (2, True)
    assert DraftVersion.objects.count() == 2


def test_a_channel_without_options_refuses_them():
    make_types()
    draft = draft_of("public", channel="system_notification", mention_all=True)

    assert errors_of(draft) == {
        "channel": [
            "The channel “System notification” has no such options: Mention everyone "
            "(@all)."
        ]
    }


@pytest.mark.parametrize("word", ["mail", "recall", "correction"])
def test_a_channel_in_which_nothing_is_written(word):
    assert errors_of(draft_of("public", channel=word)) == {
        "channel": [f"“{word}” is not a channel."]
    }


def test_named_members():
    make_types()
    draft = draft_of("public", recipients=["anna"])
    assert "was not probed" in errors_of(draft)["recipients"][0]

    make_capability("named_members", "yes")
    assert check_draft(draft).recipients == ["anna"]

    assert errors_of(draft_of("public", "community", recipients=["anna"])) == {
        "recipients": [
            "A Community can only be sent to everyone. Remove it, or pick “Everyone in "
            "the group”."
        ]
    }
    many = [f"user{number}" for number in range(51)]
    assert errors_of(draft_of("public", recipients=many)) == {
        "recipients": ["51 IDs entered; the limit is 50."]
    }
    assert errors_of(draft_of("public", recipients=["a"], mention_all=True)) == {
        "mention_all": [
            "A message to certain members cannot mention everyone. Clear this option, or "
            "pick “Everyone in the group”."
        ]
    }


def test_a_rule_excludes_types_with_the_reason(manager):
    make_types()
    draft = make_notification(
        sender=manager, channel=MESSAGE, message_options='{"mention_all": true}'
    )

    sent = send(manager, draft.pk, digest=checked_of(manager, draft).digest())

    types = sent.deliveries.values_list("group_type", "channel", "mention_all")
    assert sorted(types) == [
        (kind, MESSAGE, True) for kind in ("ChatRoom", "Community", "Public")
    ]
    detail = AuditEntry.objects.get().detail
    assert [(row["group_id"], row["reason"]) for row in detail["left_out"]] == [
        ("avchatroom", "mention_all"),
        ("bchatroom", "channel"),
    ]
    assert detail["channel"] == MESSAGE


def test_a_channel_that_is_refused_since_check(manager):
    make_group()
    draft = make_notification(sender=manager, channel=MESSAGE)
    digest = checked_of(manager, draft).digest()
    make_capability(MESSAGE, "no", error_code=10026)

    with pytest.raises(ValidationError, match=r"may not send it \(code 10026, probed"):
        send(manager, draft.pk, digest=digest)

    draft.refresh_from_db()
    assert (draft.status, Delivery.objects.count()) == ("draft", 0)


def test_named_members_that_are_refused_since_check(manager):
    make_group()
    row = make_capability("named_members", "yes")
    draft = make_notification(sender=manager, channel=MESSAGE, recipients="anna")
    digest = checked_of(manager, draft).digest()
    Capability.objects.filter(pk=row.pk).update(answer="no", error_code=10059)

    with pytest.raises(ValidationError, match=r"may not name members \(code 10059"):
        send(manager, draft.pk, digest=digest)


def test_a_group_that_becomes_a_broadcast_while_it_is_sent(manager, monkeypatch):
    """The database refuses the row that was read as another type."""
    group = make_group(type="Public")
    draft = make_notification(sender=manager, channel=MESSAGE)
    insert = create_deliveries.insert_deliveries

    def insert_after_the_sync(*args, **kwargs):
        type(group).objects.update(type="BChatRoom")
        return insert(*args, **kwargs)

    monkeypatch.setattr(create_deliveries, "insert_deliveries", insert_after_the_sync)

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft.pk, digest=checked_of(manager, draft).digest())

    assert Delivery.objects.count() == 0


def test_the_digest_covers_channel_and_options(manager):
    make_group()
    draft = make_notification(sender=manager)
    digests = {checked_of(manager, draft).digest()}
    draft.channel = MESSAGE
    digests.add(checked_of(manager, draft).digest())
    draft.message_options = '{"priority": "Low"}'
    digests.add(checked_of(manager, draft).digest())

    assert len(digests) == 3


def test_a_resend_has_the_channel_and_its_rules(manager):
    group = make_group()
    first = make_notification(
        sender=manager,
        status="completed",
        channel=MESSAGE,
        message_options='{"mention_all": true}',
    )
    make_delivery(first, group, status="unconfirmed", channel=MESSAGE, random=1)
    digest = preview(first, ResendKind.UNCONFIRMED).digest
    row = make_capability(MESSAGE, "no")

    with pytest.raises(ValidationError, match="may not send it"):
        send_again(manager, first.pk, ResendKind.UNCONFIRMED, digest=digest)

    row.delete()
    resend = send_again(manager, first.pk, ResendKind.UNCONFIRMED, digest=digest)
    assert (resend.channel, resend.options.mention_all) == (MESSAGE, True)
    assert resend.deliveries.get().mention_all
    assert Notification.objects.count() == 2


def test_a_resend_refuses_a_group_of_a_type_that_refuses_it(manager):
    group = make_group()
    first = make_notification(sender=manager, status="completed", channel=MESSAGE)
    make_delivery(first, group, status="unconfirmed", channel=MESSAGE, random=1)
    group.type = "BChatRoom"
    group.save()
    digest = preview(first, ResendKind.UNCONFIRMED).digest

    with pytest.raises(ValidationError, match="does not reach this group"):
        send_again(manager, first.pk, ResendKind.UNCONFIRMED, digest=digest)
