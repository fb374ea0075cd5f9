"""Rows that the database copies equal those that the model creates."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.models import Delivery
from notifications.record.guards import install as guards_install
from tests.factories import make_group, make_notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, 5, 123456, tzinfo=UTC)


def insert(notification, groups, *, portion=1, recipients="", **options):
    return insert_deliveries(
        notification,
        [group.pk for group in groups],
        portion=portion,
        recipients=recipients,
        now=NOW,
        **options,
    )


def test_a_row_is_the_one_that_the_model_makes():
    notification = make_notification()
    group = make_group(name="周末 'Plaza' \"%s\"")

    assert insert(notification, [group], portion=2, recipients="a\nb") == 1

    made = model_to_dict(Delivery.objects.get())
    expected = model_to_dict(
        Delivery(
            id=made["id"],
            notification=notification,
            group_id=group.group_id,
            group_name=group.name,
            group_type=group.type,
            sender_name=notification.sender_name,
            portion=2,
            recipients="a\nb",
            not_before=NOW,
            created_at=NOW,
        )
    )
    assert made == expected


def test_the_rows_keep_the_order_of_the_choice():
    groups = [make_group(group_id=group_id) for group_id in ("b", "c", "a")]

    insert(make_notification(), groups)

    group_ids = Delivery.objects.order_by("id").values_list("group_id", flat=True)
    assert list(group_ids) == ["b", "c", "a"]


@pytest.mark.parametrize("state", ["switched_off", "closed"])
def test_a_group_that_is_not_in_use_gets_none_and_is_missed_in_the_count(state):
    groups = [make_group(), make_group(state=state)]

    assert insert(make_notification(), groups) == 1


def test_no_group_no_row():
    assert insert(make_notification(), []) == 0


def test_the_database_refuses_recipients_for_a_live_room():
    with pytest.raises(IntegrityError, match="delivery_all_members_only"):
        insert(make_notification(), [make_group(type="AVChatRoom")], recipients="a")


def test_more_than_one_block_leaves_the_guards_standing():
    groups = [make_group() for _n in range(5)]

    assert insert(make_notification(), groups, block=2) == 5

    assert guards_install.missing() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Delivery.objects.first().notification, groups)
    assert (Delivery.objects.count(), guards_install.missing()) == (5, [])
