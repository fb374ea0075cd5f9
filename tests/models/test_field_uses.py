"""``FIELDS`` lists every field of a model of the record, and the export follows it."""

import json

import pytest

from notifications.models import Attempt, Delivery, DeliveryQuery, Notification
from notifications.models.field_uses import Use, column_names
from tests.factories import (
    make_attempt,
    make_delivery,
    make_notification,
    make_query,
    make_seal,
)
from tests.management.running import run

MODELS = [Notification, Delivery, Attempt, DeliveryQuery]

# Columns of the export with another name, and columns from other tables.
EXPORTED_AS = {
    "id": "delivery",
    "notification_id": "notification",
    "resend_of_id": "sent_again_of",
    "amends_id": "amends",
    "sender_name": "sender",
    "written_by_name": "written_by",
    "message_options": "from_account",  # the other options are in the sealed text
}
FROM_OTHER_TABLES = {"seal", "action_status", "attempts", "queries"}


def exported(*models) -> set[str]:
    columns = [name for model in models for name in column_names(model, Use.EXPORTED)]
    return {EXPORTED_AS.get(name, name) for name in columns}


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_listed(model):
    fields = [field.name for field in model._meta.concrete_fields]

    assert list(model.FIELDS) == fields


def test_names_in_the_order_of_the_fields():
    assert column_names(Notification, Use.COPIED) == [
        "written_by_id",
        "written_by_name",
        "content",
        "note",
        "recipients",
        "channel",
        "message_options",
    ]
    assert column_names(Notification, Use.COPIED | Use.EXPORTED) == [
        "written_by_name",
        "content",
        "note",
        "channel",
        "message_options",
    ]
    assert column_names(Notification, Use.LATE) == [
        "controlled_by_id",
        "doubt_streak",
    ]
    assert "doubt_streak" not in column_names(Notification, without=Use.LATE)
    assert len(column_names(Attempt)) == len(Attempt._meta.concrete_fields)


@pytest.mark.django_db
def test_the_export_has_the_exported_fields():
    sealed = make_notification(status="completed", channel="group_message")
    delivery = make_delivery(sealed, status="accepted")
    make_attempt(delivery)
    make_query(delivery)
    make_seal(sealed)

    _code, out, _err = run("export_history", "--format", "jsonl")

    row = json.loads(out)
    assert row.keys() - FROM_OTHER_TABLES == exported(Notification, Delivery)
    assert row["attempts"][0].keys() == exported(Attempt)
    assert row["queries"][0].keys() == exported(DeliveryQuery)
