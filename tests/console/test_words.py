"""Translated labels, and no internal names on pages."""

import logging

import pytest
from django.utils import timezone

from notifications import permissions
from tests.factories import make_delivery, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_roles_that_come_with_the_console_have_chinese_names(log_in):
    client = log_in(make_user(superuser=True))
    make_user(permissions.AUDITOR, username="wang.fang")

    for address in ("/auth/user/", "/auth/group/", "/auth/user/add/"):
        page = text(client.get(address, **CHINESE))
        assert ("审计员" in page, "Auditor" in page) == (True, False), address


def test_the_title_of_a_form_with_errors_is_translated(log_in):
    client = log_in(make_user(superuser=True))

    page = text(client.post("/notifications/chatgroup/add/", {}, **CHINESE))

    assert "<title> 错误： 添加群组 · 群通知台 </title>" in page
    assert "选择类型" in page


def test_a_reason_is_a_sentence_and_no_word_of_the_code(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
    notification = make_notification(status="completed", sent_at=timezone.now())
    make_delivery(
        notification,
        status="unconfirmed",
        reason="no_answer",
        created_at=timezone.now(),
    )

    for address in ("/", f"/sent/{notification.pk}/"):
        page = text(client.get(address))
        assert "No answer came in time." in page
        assert "(no_answer)" not in page
    assert f'href="/history/deliveries/?notification={notification.pk}"' in page


def test_a_refused_page_leaves_no_traceback_in_the_log(log_in, caplog):
    client = log_in(make_user(permissions.AUDITOR))

    with caplog.at_level(logging.INFO):
        assert client.get("/write/").status_code == 403

    assert [line.name for line in caplog.records] == ["notifications.requests"]
    assert "Traceback" not in caplog.text
