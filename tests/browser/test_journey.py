"""A manager's whole task in a real browser, in both themes and sizes, checked by axe."""

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import VIEWS, check_page
from tests.factories import PASSWORD, make_delivery, make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_write_check_send_watch(browser, live_server, width, height, theme):
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="周末徒步")
    make_group(group_id="live", name="Live: Friday show", type="AVChatRoom")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()

    page.goto(live_server.url + "/")
    check_page(page, "login")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    check_page(page, "overview")

    page.goto(live_server.url + "/write/")
    page.click("text=Check before sending")
    assert page.inner_text("#form-errors strong") == "2 things to correct:"
    expect(page.locator("#form-errors")).to_be_focused()
    check_page(page, "errors")

    page.fill("#id_groups", "hikers, live")
    page.press("#id_groups", "Enter")
    expect(page.locator(".chip")).to_have_text(
        ["周末徒步 · Public", "Live: Friday show · Live room"]
    )
    expect(page.locator("input[name=members][value=named]")).to_be_disabled()
    assert page.inner_text("#id_members_reason") == (
        "Some groups can only be sent to everyone. To name members, "
        "first remove: Live: Friday show"
    )
    page.fill("#id_content", "明天见")
    assert page.inner_text("#byte-count") == "9 / 8,000"
    assert page.inner_text("#group-count") == "2 groups"
    check_page(page, "write")

    page.click("text=Check before sending")
    check_page(page, "check")
    page.click("text=Send to 2 groups")
    assert page.inner_text("[role=status]") == "Sending: 0 of 2 groups done"
    check_page(page, "progress")
    Notification.objects.get().deliveries.update(
        status="cancelled", finished_at="2026-11-24T00:00Z"
    )
    expect(page.locator("[role=status]")).to_have_text("Sending: 2 of 2 groups done")
    context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_an_auditor_reads(browser, live_server, width, height, theme):
    make_user(permissions.AUDITOR)
    make_delivery(status="failed")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    page.goto(live_server.url + "/")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    assert page.locator("text=New notification").count() == 0

    for address in ("/history/", "/history/deliveries/", "/notifications/chatgroup/"):
        page.goto(live_server.url + address)
        check_page(page, address)
    page.goto(live_server.url + "/history/deliveries/")
    page.click(".rows tbody a")
    assert "This group no longer exists." in page.inner_text("#content")
    check_page(page, "delivery")
    context.close()


def test_the_whole_task_without_javascript(browser, live_server):
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + "/write/")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    page.fill("#id_groups", "hikers")
    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")
    page.click("text=Send to 1 group")

    assert page.inner_text("[role=status]") == "Sending: 0 of 1 groups done"
    context.close()
