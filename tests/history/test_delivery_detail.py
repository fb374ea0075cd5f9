"""The request and answers on the page of a delivery equal those on the wire."""

import json

import pytest

from notifications import audit_log, conf
from notifications.delivery.audit_events import LATE_ANSWER
from notifications.history import delivery_detail
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from tests.environment import SECRET_KEY
from tests.factories import make_attempt, make_delivery, make_group, make_notification

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize("recipients", ["", "anna\nbo"])
def test_the_request_shown_is_the_one_that_arrives(sandbox, recipients):
    notification = make_notification(
        status="completed", content="明天 “9:30”\n见", recipients=recipients
    )
    delivery = make_delivery(notification, make_group(group_id="hikers"))
    client = conf.connection().client()
    client.call(
        SendGroupSystemNotification(
            "hikers", "Public", notification.content, delivery.recipient_ids
        )
    )
    client.close()

    shown = json.loads(delivery_detail.request_body(delivery))

    (entry,) = sandbox.journal
    assert shown.pop("ToMembers_Account", []) == list(entry.recipients)
    assert shown == {"GroupId": entry.group_id, "Content": entry.content}


def test_nothing_shown_holds_a_secret():
    line = delivery_detail.request_line(make_delivery())

    assert line == "POST /v4/group_open_http_svc/send_group_system_notification"
    assert SECRET_KEY not in line


def test_each_attempt_with_its_answer():
    delivery = make_delivery(status="unconfirmed")
    make_attempt(delivery, outcome="not_sent")
    make_attempt(delivery, outcome="rejected", error_code=10006, error_info="too fast")
    make_attempt(delivery, outcome="unconfirmed")

    calls = delivery_detail.calls(delivery)

    assert [call.answer and json.loads(call.answer) for call in calls] == [
        "",
        {"ActionStatus": "FAIL", "ErrorCode": 10006, "ErrorInfo": "too fast"},
        "",
    ]
    assert [call.explanation.meaning for call in calls] == [
        "The chat service refused the connection.",
        "The chat service says that calls come too often.",
        "No answer came in time.",
    ]


LATE = "An answer came after the delivery was given up: "


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (
            {"outcome": "accepted", "reason": "", "error_code": 0},
            LATE + "Tencent accepted the notification.",
        ),
        (
            {"outcome": "rejected", "reason": "", "error_code": 10010},
            LATE + "This group no longer exists. (10010)",
        ),
        (
            {"outcome": "unconfirmed", "reason": "no_answer", "error_code": None},
            "The call ended after the delivery was given up: No answer came in time.",
        ),
    ],
)
def test_a_late_answer_in_words(detail, sentence):
    delivery, other = make_delivery(status="unconfirmed"), make_delivery()
    for row in (delivery, other):
        audit_log.write(
            LATE_ANSWER,
            "worker 3",
            notification=row.notification_id,
            delivery=row.pk,
            **detail,
        )

    assert [late.sentence for late in delivery_detail.late_answers(delivery)] == [
        sentence
    ]
