"""Which deliveries a worker takes, and in which order."""

import secrets
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from notifications.delivery import claim as claiming
from notifications.delivery.channels import CHANNELS
from notifications.delivery.claim import channels_due, running
from notifications.models import Delivery, Notification, SendingSwitch
from notifications.tencent.message_options import MessageOptions
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db


def claim(worker, slots, now, *, channel="system_notification", last_served=0):
    return claiming.claim(
        worker, CHANNELS[channel], running(now), slots, now, last_served=last_served
    )


def served(claims) -> list[int]:
    return [claim.notification_id for claim in claims]


def test_running_notifications_take_turns():
    running = [make_notification(status="sending") for _n in range(3)]
    for notification in running:
        for _n in range(3):
            make_delivery(notification)
    a, b, c = (notification.pk for notification in running)

    first = claim(1, [1.0], MOMENT)
    second = claim(1, [2.0], MOMENT, last_served=first[-1].notification_id)
    third = claim(1, [3.0, 4.0], MOMENT, last_served=second[-1].notification_id)

    assert (served(first), served(second), served(third)) == ([a], [b], [c, a])


def test_what_one_leaves_goes_to_the_others():
    short, long = (make_notification(status="sending") for _n in range(2))
    make_delivery(short)
    for _n in range(5):
        make_delivery(long)

    claims = claim(1, [1.0, 2.0, 3.0, 4.0], MOMENT)

    assert served(claims) == [short.pk, long.pk, long.pk, long.pk]
    assert Delivery.objects.filter(status="sending", owner=1).count() == 4


@pytest.mark.parametrize(("seconds", "is_due"), [(1, True), (0, False)])
def test_nothing_is_claimed_after_its_end(seconds, is_due):
    end = MOMENT + timedelta(seconds=seconds)
    make_delivery(make_notification(status="sending", not_after=end))

    assert bool(channels_due(MOMENT)) is is_due
    assert len(claim(1, [1.0], MOMENT)) == is_due


MESSAGE = "group_message"


def test_the_number_of_a_message_is_drawn_once():
    row = make_delivery(make_notification(status="sending", channel=MESSAGE))

    (first,) = claim(1, [1.0], MOMENT, channel=MESSAGE)
    row.refresh_from_db()
    assert (row.status, row.random) == ("sending", first.target.random)
    assert row.random in range(1, 2**32)
    Delivery.objects.update(status="queued", owner=None)
    (second,) = claim(1, [2.0], MOMENT, channel=MESSAGE)

    assert second.target.random == row.random
    assert second.call.payload() == first.call.payload()


def test_a_number_that_another_delivery_has_is_drawn_again(monkeypatch):
    notification = make_notification(status="sending", channel=MESSAGE)
    used = make_delivery(notification, status="accepted", random=8)
    rows = [make_delivery(notification) for _n in range(2)]
    drawn = iter([7, 7, 5, 5, 5, 4])
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: next(drawn))

    claims = claim(1, [1.0, 2.0], MOMENT, channel=MESSAGE)

    assert {one.target.random for one in claims} == {6, 5}
    assert {one.delivery_id for one in claims} == {row.pk for row in rows}
    assert used.random not in {one.target.random for one in claims}


def test_a_claim_with_the_number_of_another_one_is_refused(monkeypatch):
    notification = make_notification(status="sending", channel=MESSAGE)
    make_delivery(notification, status="accepted", random=8)
    make_delivery(notification)
    # As if another worker committed it after this one has looked.
    monkeypatch.setattr(claiming, "_draw_numbers", lambda ids: dict.fromkeys(ids, 8))

    with (
        pytest.raises(IntegrityError, match=r"random|the number of a message"),
        transaction.atomic(),
    ):
        claim(1, [1.0], MOMENT, channel=MESSAGE)

    monkeypatch.undo()
    (second,) = claim(1, [1.0], MOMENT, channel=MESSAGE)
    assert second.target.random != 8


def test_a_system_notification_has_no_number():
    make_delivery()

    (one,) = claim(1, [1.0], MOMENT)

    assert one.target.random is None
    assert Delivery.objects.get().random is None


def test_the_messages_of_claims_are_those_of_their_notifications():
    for text, options in (("One", '{"mention_all": true}'), ("Two", "")):
        make_delivery(
            make_notification(
                status="sending", channel=MESSAGE, content=text, message_options=options
            )
        )

    claims = claim(1, [1.0, 2.0], MOMENT, channel=MESSAGE)

    messages = [(one.message.content, one.message.options) for one in claims]
    assert messages == [
        ("One", MessageOptions(mention_all=True)),
        ("Two", MessageOptions()),
    ]


@pytest.mark.parametrize("change", ["pause", "stop all", "not after", "none due"])
def test_only_channels_with_due_deliveries(change):
    message = make_delivery(make_notification(status="sending", channel=MESSAGE))
    assert channels_due(MOMENT) == {MESSAGE}
    make_delivery()
    assert channels_due(MOMENT) == {MESSAGE, "system_notification"}

    if change == "stop all":
        SendingSwitch.objects.update_or_create(pk=1, defaults={"is_off": True})
    elif change == "none due":
        later = MOMENT + timedelta(seconds=1)
        Delivery.objects.filter(pk=message.pk).update(not_before=later)
    elif change == "not after":
        Notification.objects.filter(channel=MESSAGE).update(not_after=MOMENT)
    else:
        message.notification.pause(Notification.PauseReason.PERSON, by="lin.mei")

    rest = set() if change == "stop all" else {"system_notification"}
    assert channels_due(MOMENT) == rest
