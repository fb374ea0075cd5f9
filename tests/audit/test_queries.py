"""The actions on one notification."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import audit_log
from notifications.audit.queries import actions_of_notification
from notifications.audit_log import Origin
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import PAUSED
from tests.factories import MOMENT


@pytest.mark.django_db
def test_the_actions_on_a_notification_oldest_first_in_one_query():
    click = Origin(address="192.0.2.7", number=uuid.UUID(int=7))
    audit_log.write(SENT, "lin.mei", notification=3, at=MOMENT, groups=1)
    with audit_log.origin(click):
        audit_log.write(PAUSED, "chen.jie", notification=3, note="the date is wrong")
    audit_log.write(SENT, "lin.mei", notification=4, groups=1)

    with CaptureQueriesContext(connection) as queries:
        first, second = actions_of_notification(3)

    assert len(queries) == 1
    assert (
        first.entry.at,
        first.entry.actor,
        first.sentence,
        first.entry.request_number,
    ) == (
        MOMENT,
        "lin.mei",
        "Sent it to 1 group.",
        None,
    )
    assert (second.sentence, second.details, second.entry.address) == (
        "Paused.",
        ["Note: the date is wrong"],
        "192.0.2.7",
    )
    assert second.entry.request_number == click.number
