"""An auditor's task in a real browser: filter, page, open, back, download."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import AuditEntry
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import (
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def past() -> None:
    """51 accepted deliveries of one group, two failed ones of another."""
    notification = make_notification(
        sender=make_user(), status="completed", audience_count=2, note="CM-7"
    )
    plaza = make_group(name="广场", group_id="plaza")
    live = make_group(name="直播间：李姐开播", group_id="live", type="AVChatRoom")
    for portion in range(1, 52):
        make_delivery(notification, plaza, status="accepted", portion=portion)
    for portion in (1, 2):
        row = make_delivery(notification, live, status="failed", portion=portion)
        make_attempt(row, outcome="rejected")


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_filter_open_back_download(
    browser, live_server, past, width, height, theme, tmp_path
):
    make_user(permissions.AUDITOR, username="wang.fang")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url, "wang.fang")

    page.click("#app-nav >> text=History")
    check_page(page, "notifications")
    page.click("nav.tabs >> text=Deliveries")
    check_page(page, "deliveries")
    expect(page.locator(".head > p:first-child")).to_have_text(
        "53 entries, newest first"
    )

    page.click("text=Older ›")
    expect(page.locator(".rows tbody tr")).to_have_count(3)
    check_page(page, "older")
    page.click("text=‹ Newer")
    expect(page.locator(".rows tbody tr")).to_have_count(50)

    if width < 768:
        expect(page.locator("#id_q")).not_to_be_visible()
        page.click("text=Search and filter")
    page.fill("#id_q", "直播")
    page.select_option("#id_code", "10010")
    page.click(".tools .go button")
    expect(page.locator(".head > p:first-child")).to_have_text(
        "2 entries, newest first"
    )
    expect(page.locator("#id_q")).to_be_visible()
    check_page(page, "filtered")

    page.click(".rows tbody tr:first-child a")
    expect(page.locator("h1")).to_have_text("Delivery to 直播间：李姐开播")
    page.click("text=Technical details")
    check_page(page, "delivery")
    page.click("text=‹ Send history")
    expect(page.locator(".head > p:first-child")).to_have_text(
        "2 entries, newest first"
    )
    expect(page.locator("#id_q")).to_have_value("直播")
    expect(page.locator("#id_code")).to_have_value("10010")

    with page.expect_download() as download:
        page.click("text=Download as CSV")
    file = tmp_path / "history.csv"
    download.value.save_as(file)
    assert len(Path(file).read_text("utf-8-sig").splitlines()) == 3
    exported = AuditEntry.objects.get(action="exported")
    assert exported.detail["filters"] == {"q": "直播", "code": "10010"}

    page.goto(live_server.url + "/history/deliveries/?from=2026-13-45&q=zzz")
    expect(page.locator("#id_from_error")).to_have_text("There is no such day.")
    check_page(page, "a bad day, nothing found")
    context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_groups_are_filtered_and_switched_off(
    browser, live_server, past, width, height, theme
):
    make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url, "xu")

    page.goto(live_server.url + "/notifications/chatgroup/?q=直播")
    check_page(page, "groups")
    page.check("[name=_selected_action]")
    page.select_option("[name=action]", label="Switch off")
    page.click(".actions button")
    expect(page.locator(".messagelist")).to_have_text("1 group switched off.")
    check_page(page, "switched off")
    page.click("text=直播间：李姐开播")
    expect(page.locator("h1")).to_have_text("直播间：李姐开播")
    check_page(page, "one group")
    page.click("text=‹ Chat groups")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    context.close()
