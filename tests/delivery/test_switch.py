"""One switch for all sending."""

import pytest
from django.core.exceptions import PermissionDenied

from notifications import permissions
from notifications.delivery.claim import claim, due_deliveries
from notifications.delivery.controls import allow_everything, stop_everything
from notifications.models import AuditEntry, SendingSwitch
from tests.factories import MOMENT, make_delivery, make_user

pytestmark = pytest.mark.django_db


def test_nothing_is_claimed_while_the_switch_is_off():
    manager = make_user(permissions.COMMUNITY_MANAGER)
    row = make_delivery()

    stop_everything(manager)
    assert not due_deliveries(MOMENT)
    assert claim(1, [1.0, 2.0], MOMENT) == []

    allow_everything(manager)
    assert due_deliveries(MOMENT)
    assert [order.delivery_id for order in claim(1, [1.0], MOMENT)] == [row.pk]


def test_it_is_written_down_once():
    manager = make_user(permissions.COMMUNITY_MANAGER)

    stop_everything(manager)
    stop_everything(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))

    switch = SendingSwitch.present()
    assert (switch.is_off, switch.changed_by) == (True, "lin.mei")
    assert switch.changed_at is not None
    assert list(AuditEntry.objects.values_list("action", "actor")) == [
        ("all_stopped", "lin.mei")
    ]


@pytest.mark.parametrize("turn", [stop_everything, allow_everything])
def test_who_may_not_send_may_not_turn_it(turn):
    auditor = make_user(permissions.AUDITOR)

    with pytest.raises(PermissionDenied):
        turn(auditor)

    assert not SendingSwitch.objects.exists()
