"""One switch for all sending."""

import pytest
from django.core.exceptions import PermissionDenied

from notifications import permissions
from notifications.delivery.claim import claim, has_due_deliveries
from notifications.delivery.controls import set_sending_switch
from notifications.models import AuditEntry, SendingSwitch
from tests.factories import MOMENT, make_delivery, make_user

pytestmark = pytest.mark.django_db


def test_nothing_is_claimed_while_the_switch_is_off():
    manager = make_user(permissions.COMMUNITY_MANAGER)
    row = make_delivery()

    set_sending_switch(manager, is_off=True)
    assert not has_due_deliveries(MOMENT)
    assert claim(1, [1.0, 2.0], MOMENT) == []

    set_sending_switch(manager, is_off=False)
    assert has_due_deliveries(MOMENT)
    assert [claim.delivery_id for claim in claim(1, [1.0], MOMENT)] == [row.pk]


def test_it_is_written_down_once():
    manager = make_user(permissions.COMMUNITY_MANAGER)

    set_sending_switch(manager, is_off=True)
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    set_sending_switch(colleague, is_off=True)

    switch = SendingSwitch.present()
    assert (switch.is_off, switch.changed_by) == (True, "lin.mei")
    assert switch.changed_at is not None
    assert list(AuditEntry.objects.values_list("action", "actor")) == [
        ("all_stopped", "lin.mei")
    ]


@pytest.mark.parametrize("is_off", [True, False])
def test_who_may_not_send_may_not_change_it(is_off):
    auditor = make_user(permissions.AUDITOR)

    with pytest.raises(PermissionDenied):
        set_sending_switch(auditor, is_off=is_off)

    assert not SendingSwitch.objects.exists()
