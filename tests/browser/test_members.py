"""“Check these members” in a real browser, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import check_page, come_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAYS = ["Not in “Weekend hikers”: zhao.", "Nobody is missing in: North gate."]


@pytest.fixture(autouse=True)
def _groups(sandbox, worker_answers):
    make_user(permissions.COMMUNITY_MANAGER)
    for group_id, name, members in (
        ("hikers", "Weekend hikers", ["anna"]),
        ("runners", "North gate", ["anna", "zhao"]),
    ):
        make_group(group_id=group_id, name=name)
        sandbox.add_group(group_id, "Public", members=members)


@pytest.mark.parametrize(
    ("width", "height", "theme"), [(1440, 900, "light"), (390, 844, "dark")]
)
def test_who_is_missing_is_said_in_place(browser, live_server, width, height, theme):
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    come_in(page, live_server.url, to="/write/")
    search = page.locator("#id_groups")
    search.fill("hikers, runners")
    search.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    button = page.locator("text=Check these members")
    expect(button).to_be_hidden()  # until "selected members" is chosen
    page.check("[name=members][value=named]")
    page.fill("#id_recipients", "anna, zhao")
    page.fill("#id_content", "Tonight")

    button.click()

    lines = page.locator("#members-checked .notice")
    expect(lines).to_have_text(SAYS)
    assert page.url == live_server.url + "/write/"
    expect(page.locator("#id_content")).to_have_value("Tonight")
    check_page(page, "members checked")
    page.fill("#id_recipients", "anna")
    expect(lines).to_have_count(0)  # the result was for other IDs
    button.click()
    expect(lines).to_have_text(["This is a member of the 2 groups."])
    page.check("[name=audience][value=every]")
    expect(button).to_be_hidden()
    assert not Notification.objects.exists()
    page.close()


def test_without_javascript_nothing_is_lost_and_enter_does_not_ask(
    browser, live_server, sandbox
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    come_in(page, live_server.url, to="/write/")
    page.fill("#id_groups", "hikers runners")
    page.check("[name=members][value=named]")
    page.fill("#id_recipients", "anna, zhao")

    page.click("text=Check these members")

    expect(page.locator("#members-checked .notice")).to_have_text(SAYS)
    assert page.url == live_server.url + "/write/#members-checked"
    expect(page.locator("#id_groups")).to_have_value("hikers\nrunners")
    expect(page.locator("#id_recipients")).to_have_value("anna, zhao")
    expect(page.locator("#form-errors")).to_have_count(0)
    page.press("#id_note", "Enter")
    expect(page.locator("#form-errors")).to_contain_text("Write the message.")
    assert len(sandbox.calls.codes("get_specified_group_member_info")) == 2
    page.fill("#id_content", "Tonight")
    page.press("#id_note", "Enter")
    expect(page.locator("h1")).to_have_text("Check and send")
    context.close()
