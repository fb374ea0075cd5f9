"""The state of the record on the History page."""

import pytest

from notifications import audit_log, permissions
from notifications.record.audit_events import VERIFIED
from tests.factories import make_notification, make_seal, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def text_of(client) -> str:
    return " ".join(client.get("/history/").content.decode().split())


def test_before_anything_was_sealed_or_verified(log_in):
    page = text_of(log_in(make_user(permissions.AUDITOR, username="wang.fang")))

    assert "Nothing is sealed yet" in page
    assert "python manage.py verify_history" in page


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"unchanged": True}, "Unchanged"),
        ({"unchanged": True, "archived": 2}, "Cannot tell"),
        ({"unchanged": True, "archived": 2, "without_archives": True}, "Unchanged"),
        ({"unchanged": False, "archived": 2}, "Changed since it was sealed"),
    ],
)
def test_the_head_and_the_last_verification(log_in, result, words):
    seal = make_seal(make_notification(status="completed"))
    audit_log.write(
        VERIFIED,
        "verify_history",
        only=None,
        since=None,
        **result,
    )

    page = text_of(log_in(make_user(permissions.AUDITOR, username="wang.fang")))

    assert seal.head in page
    assert f">{words}</span>" in page
    unread = "The archive files of 2 notifications were not read."
    assert (unread in page) is ("archived" in result)
