"""Overview and notification page in a real browser: pictures, numbers, paper."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from notifications import roles
from tests.browser.conftest import VIEWS, check_page, log_in
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def past() -> None:
    """Two days with every result, to two types of groups."""
    make_user(roles.AUDITOR, username="wang.fang")
    groups = [make_group(type=kind) for kind in ("Public", "AVChatRoom")]
    for back in (2, 0):
        at = timezone.now() - timedelta(days=back)
        sent = make_notification(status="completed", sent_at=at, finished_at=at)
        for group in groups:
            for portion, status in enumerate(
                ["accepted", "accepted", "failed", "unconfirmed", "cancelled"], start=1
            ):
                make_delivery(
                    sent, group, portion=portion, status=status, created_at=at
                )


def open_page(browser: Browser, url: str, view: tuple[int, int, str]) -> Page:
    width, height, theme = view
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    log_in(page, url, "wang.fang")
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_pictures_with_their_numbers(browser, live_server, past, view):
    page = open_page(browser, live_server.url, view)

    check_page(page, "overview")
    expect(
        page.locator(".chart.wide, .chart.narrow").locator("visible=true")
    ).to_have_count(1)
    for summary in page.locator("text=Show the numbers").all():
        summary.click()
    check_page(page, "overview with numbers")
    page.click("text=30 days")
    expect(page.locator("nav.periods [aria-current]")).to_have_text("30 days")
    picture = page.locator(".chart").locator("visible=true").first
    picture.locator("rect.c-failed").last.click()
    expect(page.locator(".head p")).to_have_text("2 entries, newest first")
    page.context.close()
