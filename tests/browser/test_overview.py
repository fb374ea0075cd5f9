"""Overview and notification page in a real browser: charts, numbers, print layout."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from notifications import audit_log, permissions
from notifications.compose.audit_events import SENT
from notifications.models import Notification
from notifications.record.audit_events import VERIFIED
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import (
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def past() -> None:
    """Two days with every result, to two types of groups."""
    make_user(permissions.AUDITOR, username="wang.fang")
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
    come_in(page, url, "wang.fang")
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
    # On a phone the whole column of a bar is a link to its day.
    count = 10 if view[0] < 768 else 2
    expect(page.locator(f"text={count} entries, newest first")).to_be_visible()
    page.context.close()


@pytest.fixture
def sealed(past) -> Notification:
    """A notification with excluded groups, actions and a verified seal."""
    sent = Notification.objects.latest("pk")
    out = [
        {"group_id": f"g{n}", "name": "广场 Plaza", "state": "closed"} for n in (1, 2)
    ]
    audit_log.write(
        SENT,
        "lin.mei",
        notification=sent.pk,
        groups=2,
        left_out=out,
        left_out_count=2,
    )
    make_seal(sent)
    audit_log.write(
        VERIFIED,
        "verify_history",
        unchanged=True,
        only=None,
        since=None,
    )
    return sent


@pytest.mark.parametrize("view", VIEWS)
def test_a_notification_and_its_evidence(browser, live_server, sealed, view):
    page = open_page(browser, live_server.url, view)

    page.goto(f"{live_server.url}/sent/{sealed.pk}/")
    check_page(page, "notification")
    page.click("text=2 groups that did not get it")
    check_page(page, "notification with groups left out")
    with page.expect_download() as download:
        page.click("text=Download the evidence")
    name = f"evidence-{sealed.pk}-{sealed.seal.head[:12]}.zip"
    assert download.value.suggested_filename == name
    page.context.close()


def test_on_paper_there_is_all_of_it_and_nothing_to_press(browser, live_server, sealed):
    page = open_page(browser, live_server.url, (794, 1123, "dark"))
    page.goto(f"{live_server.url}/sent/{sealed.pk}/")
    name = page.locator("text=广场 Plaza").last
    expect(name).not_to_be_visible()

    page.emulate_media(media="print")

    expect(name).to_be_visible()
    expect(page.locator("dt", has_text="Head")).to_be_visible()
    for gone in ("#header", "#app-nav", "text=Download the evidence"):
        expect(page.locator(gone)).not_to_be_visible()
    ground = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.context.close()
