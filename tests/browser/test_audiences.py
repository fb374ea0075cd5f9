"""Labels for filtered groups, and an audience of them with its count, in a browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from notifications import permissions
from notifications.models import Label, SavedAudience
from tests.browser.conftest import VIEWS, check_page, log_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def opened(browser, live_server) -> Iterator[Callable[..., Page]]:
    """``opened(width, height, theme)``: the Overview of an administrator of groups."""
    make_user(permissions.GROUP_ADMINISTRATOR)
    for number in range(51):
        make_group(name=f"直播间 {number:02d}", type="AVChatRoom", member_count=100)
    make_group(name="Weekend hikers")
    make_group(name="直播间 old", type="AVChatRoom", state="closed")
    contexts = []

    def open_page(width: int, height: int, theme: str) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        log_in(page, live_server.url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_from_a_filter_to_an_audience(opened, live_server, width, height, theme):
    page = opened(width, height, theme)

    page.goto(live_server.url + "/notifications/chatgroup/?q=直播&state=in_use")
    check_page(page, "groups")
    if width > 1000:
        page.check("#action-toggle")
        page.click("text=Select all 51 chat groups")
        page.select_option("select[name=action]", "add_labels")
        page.click("button[name=index]")
    else:
        page.click("text=Put labels on all of them")
    expect(page.locator("main")).to_contain_text("51 groups that match")
    check_page(page, "put labels")
    page.fill("#id_new_labels", "North, Live")
    page.click("main button[type=submit]")
    expect(page.locator(".messagelist")).to_have_text("Labels put on 51 groups.")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Live, North")

    page.get_by_role("link", name="Labels", exact=True).click()
    check_page(page, "labels")
    page.locator("tr", has_text="Live").get_by_role("link", name="Rename").click()
    page.fill("#id_name", "Rooms")
    page.click("main button[type=submit]")
    expect(page.locator(".messagelist")).to_have_text(
        "The label is called “Rooms” now."
    )

    page.get_by_role("link", name="Audiences").click()
    page.get_by_role("link", name="New audience").click()
    page.get_by_label("Rooms").check()
    page.get_by_role("button", name="Count").click()
    expect(page.locator(".reach")).to_contain_text("51 groups would get it")
    expect(page.get_by_role("status")).to_have_text("Counted. Nothing is saved yet.")
    check_page(page, "counted")
    assert not SavedAudience.objects.exists()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The name must have 1 to 80")
    page.fill("#id_name", "Live rooms")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Live rooms")
    expect(page.locator(".reach")).to_contain_text("up to 5,100 members")
    page.get_by_role("link", name="‹ Audiences").click()
    expect(page.locator(".rows")).to_contain_text("Labels: Rooms")
    check_page(page, "audiences")

    label = Label.objects.get(name="Rooms")
    page.goto(f"{live_server.url}/groups/labels/{label.pk}/delete/")
    expect(page.locator("main")).to_contain_text("Live rooms")
    check_page(page, "a label in use")
