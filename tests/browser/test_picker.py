"""Choosing groups on the Write page: by keyboard, by pasting, and the rule of live rooms."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIVE_RULE = (
    "Some groups can only be sent to everyone. To name members, "
    "first remove: Live: Friday show"
)
PICKER = "#div_id_groups .picker"
PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text", text);
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
  );
}"""


@pytest.fixture
def open_write(browser, live_server) -> Iterator[Callable[..., Page]]:
    """``open_write(width, height, theme)``: the Write page, logged in."""
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="Weekend hikers", member_count=24)
    make_group(group_id="west", name="周末徒步", member_count=1204)
    make_group(
        group_id="live", name="Live: Friday show", type="AVChatRoom", member_count=2950
    )
    make_group(group_id="off", name="Old club", state="switched_off")
    contexts = []

    def opened(width: int = 1440, height: int = 900, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        come_in(page, live_server.url, to="/write/")
        expect(page.locator(PICKER)).to_be_visible()  # the script has run
        page.focus("#id_groups")
        return page

    yield opened
    for context in contexts:
        context.close()


def posted(page: Page) -> list[str]:
    return page.eval_on_selector("textarea[name=groups]", "e => e.value").split()


def says(page: Page, text: str) -> None:
    expect(page.locator(f"{PICKER} [role=status]")).to_have_text(text)


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_from_the_first_letter_to_check_by_keyboard(open_write, width, height, theme):
    page = open_write(width, height, theme)
    field = page.get_by_role("combobox", name="Groups")
    expect(field).to_be_focused()

    page.keyboard.type("hik")
    says(page, "1 group matches.")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    option = page.get_by_role("option", name="Weekend hikers · Public")
    expect(option).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    check_page(page, "suggestions")
    page.keyboard.press("Enter")
    says(page, "Added: Weekend hikers.")

    page.keyboard.type("周末")
    says(page, "1 group matches.")
    page.keyboard.press("Enter")  # the only suggestion: no arrow key is needed
    says(page, "Added: 周末徒步.")
    page.keyboard.type("live")
    page.keyboard.press("Enter")  # before the response arrives
    says(page, "Added: Live: Friday show.")
    assert posted(page) == ["hikers", "west", "live"]

    page.keyboard.press("Backspace")
    says(page, "Removed: Live: Friday show.")
    page.keyboard.press("Shift+Tab")
    first = page.get_by_role("button", name="Remove Weekend hikers")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Remove 周末徒步")).to_be_focused()
    page.keyboard.press("Delete")
    expect(first).to_be_focused()
    assert posted(page) == ["hikers"]
    expect(page.locator("#group-count")).to_have_text("1 group")
    expect(page.locator("#people-count")).to_have_text("24 people")
    check_page(page, "chips")

    page.focus("#id_content")
    page.keyboard.type("Bring water.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Send to 1 group")).to_be_visible()
    check_page(page, "check")
    assert Notification.objects.get().audience_values == ["hikers"]

    page.get_by_role("link", name="Back to editing").click()
    expect(page.locator(".chip")).to_have_text(["Weekend hikers · Public"])
    assert page.inner_text("h1") == "Edit the draft"


def test_nothing_matches(open_write):
    page = open_write()

    page.keyboard.type("Old club")
    says(page, "No group matches. Is it switched off?")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#id_groups")).to_have_value("")


def test_arrows_open_the_list_and_a_click_adds(open_write):
    page = open_write()

    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option")).to_have_count(3)
    page.get_by_role("option", name="周末徒步").click()
    says(page, "Added: 周末徒步.")
    expect(page.locator("#id_groups")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="west · already chosen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert posted(page) == ["west"]


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_pasted_list(open_write, width, height, theme):
    page = open_write(width, height, theme)

    page.evaluate(PASTE, "hikers，live；\r\nnobody、off hikers")
    says(
        page,
        "2 groups added. 2 cannot be sent to: see the marks. "
        "1 ID was given more than once and counts once.",
    )
    # groups that cannot get notifications come first, so that they are noticed
    expect(page.locator(".chip")).to_have_text(
        [
            "nobody · not in the list",
            "Old club · Switched off",
            "Weekend hikers · Public",
            "Live: Friday show · Live room",
        ]
    )
    assert posted(page) == ["hikers", "live", "nobody", "off"]
    expect(page.locator("#group-count")).to_have_text("2 groups")
    expect(page.locator("#people-count")).to_have_text("2,974 people")
    check_page(page, "pasted")


def test_a_pasted_name_is_searched_for(open_write):
    page = open_write()

    page.evaluate(PASTE, "Weekend hikers")  # not intercepted: the browser pastes
    page.keyboard.insert_text("Weekend hikers")

    says(page, "1 group matches.")
    expect(page.locator(".chip")).to_have_count(0)


def test_typed_text_that_was_not_picked_is_not_lost(open_write):
    page = open_write()

    page.keyboard.type("nobody")
    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")

    assert "This ID is not in the list of groups: nobody" in page.inner_text(
        "#form-errors"
    )
    field = page.locator("#id_groups")
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("link", name="Groups", exact=True).last.click()
    expect(field).to_be_focused()
    expect(page.locator(".chip")).to_have_text(["nobody · not in the list"])


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_live_room_never_widens_a_list_of_members(open_write, width, height, theme):
    page = open_write(width, height, theme)
    named = page.locator("input[name=members][value=named]")
    reason = page.locator("#id_members_reason")
    page.check("input[name=members][value=named]")
    page.fill("#id_recipients", "anna, li")
    expect(page.locator("#people-count")).to_have_text("2 in each group")

    page.fill("#id_groups", "live")
    page.press("#id_groups", "Enter")
    expect(page.get_by_role("alert").filter(has_text=LIVE_RULE)).to_be_visible()
    expect(named).to_be_checked()
    expect(page.locator("#id_recipients")).to_have_value("anna, li")
    expect(page.locator("#id_recipients")).to_have_attribute("aria-invalid", "true")
    check_page(page, "members are named, and a live room is chosen")

    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")
    assert "Live: Friday show can only be sent to everyone." in page.inner_text(
        "#form-errors"
    )
    assert Notification.objects.count() == 0
    expect(named).to_be_checked()

    page.check("input[name=members][value=everyone]")
    expect(named).to_be_disabled()
    expect(named).to_have_attribute("aria-describedby", "id_members_reason")
    expect(reason).to_have_text(LIVE_RULE)
    expect(reason).not_to_have_attribute("role", "alert")
    page.click("[aria-label='Remove Live: Friday show']")
    expect(named).to_be_enabled()
    expect(reason).to_be_hidden()
    expect(page.locator("#id_recipients")).to_have_value("anna, li")


def test_the_browsers_way_back_shows_what_will_be_posted(open_write):
    page = open_write()
    page.keyboard.type("hik")
    page.keyboard.press("Enter")
    says(page, "Added: Weekend hikers.")
    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")
    page.get_by_role("link", name="Back to editing").click()
    page.fill("#id_groups", "west")
    page.press("#id_groups", "Enter")
    says(page, "Added: 周末徒步.")
    page.click("[aria-label='Remove Weekend hikers']")
    page.click("text=Check before sending")
    expect(page.get_by_role("button", name="Send to 1 group")).to_be_visible()

    page.go_back()

    expect(page.locator(".chip")).to_have_text(["周末徒步 · Public"])
    assert posted(page) == ["west"]
    expect(page.locator("#group-count")).to_have_text("1 group")


def test_every_group(open_write):
    page = open_write()

    page.get_by_label("Every group (3)").check()

    expect(page.locator("#id_groups")).to_be_hidden()
    expect(page.locator("#group-count")).to_have_text("3 groups")
    expect(page.locator("#people-count")).to_have_text("4,178 people")
    expect(page.locator("input[name=members][value=named]")).to_be_disabled()
    expect(page.locator("#id_members_reason")).to_have_text(
        "To name members, choose the groups instead of sending to every group."
    )
    page.get_by_label("Groups I choose").check()
    expect(page.locator("input[name=members][value=named]")).to_be_enabled()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_five_hundred_groups_stay_readable(open_write, width, height):
    for number in range(500):
        make_group(group_id=f"g{number}", name=f"Club {number}")
    page = open_write(width, height)

    page.evaluate(PASTE, "\n".join(f"g{number}" for number in range(500)))

    says(page, "500 groups added.")
    expect(page.locator(".chip")).to_have_count(50)
    expect(page.locator(f"{PICKER} .picker-rest span")).to_have_text("and 450 more")
    expect(page.locator("#group-count")).to_have_text("500 groups")
    assert posted(page)[-1] == "g499"
    assert page.locator(PICKER).bounding_box()["height"] < 400
    check_page(page, "five hundred groups")

    page.get_by_role("button", name="Remove all").click()
    says(page, "All groups removed.")
    expect(page.locator("#id_groups")).to_be_focused()
    assert (posted(page), page.locator(".chip").count()) == ([], 0)


def test_a_session_that_ended_is_said(open_write):
    page = open_write()
    page.context.clear_cookies()

    page.keyboard.type("hik")

    says(
        page,
        "You were logged out. Press “Check before sending” to log in again; your text "
        "is not lost.",
    )
