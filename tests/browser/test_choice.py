"""Choosing groups on the Write page by a rule or a saved audience, in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from notifications import permissions
from notifications.models import Label, Notification, SavedAudience
from tests.browser.conftest import check_page, log_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EXCEPTIONS = "#div_id_exceptions .picker"


@pytest.fixture
def open_write(browser, live_server) -> Iterator[Callable[..., Page]]:
    """``open_write(width, height, theme)``: the Write page, logged in."""
    make_user(permissions.COMMUNITY_MANAGER)
    north = Label.objects.create(name="North")
    for number in range(60):
        make_group(
            group_id=f"live{number:02}",
            name=f"直播间 {number:02}",
            type="AVChatRoom",
            member_count=100,
        )
    make_group(name="Weekend hikers", member_count=24).labels.set([north])
    make_group(name="Old club", state="switched_off").labels.set([north])
    SavedAudience.objects.create(
        name="Northern groups", stored_rule={"labels": ["North"]}
    )
    contexts = []

    def opened(width: int = 1440, height: int = 900, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        log_in(page, live_server.url)
        page.goto(live_server.url + "/write/")
        return page

    yield opened
    for context in contexts:
        context.close()


def shows(page: Page, groups: str, people: str, left_out: str = "") -> None:
    expect(page.locator("#group-count")).to_have_text(groups)
    expect(page.locator("#people-count")).to_have_text(people)
    if left_out:
        expect(page.locator("#left-out")).to_have_text(left_out)
    else:
        expect(page.locator("#left-out")).to_be_hidden()


@pytest.mark.parametrize(
    ("width", "height", "theme"), [(1440, 900, "light"), (390, 844, "dark")]
)
def test_all_live_rooms_except_two(open_write, width, height, theme):
    page = open_write(width, height, theme)

    page.check("[name=audience][value=rule]")
    expect(page.locator("#count-problem")).to_have_text(
        "Choose at least one condition, or send to every group."
    )
    page.check("[name=types][value=AVChatRoom]")
    shows(page, "60 groups", "6,000 people")
    field = page.get_by_role("combobox", name="Except these groups")
    for number in ("07", "59"):
        field.focus()
        page.keyboard.type(number)
        option = page.get_by_role("option", name=f"直播间 {number} · Live room")
        expect(option).to_be_visible()
        page.keyboard.press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
    expect(page.locator(f"{EXCEPTIONS} .chip")).to_have_count(2)
    shows(page, "58 groups", "5,800 people")
    check_page(page, "a rule")

    page.fill("#id_content", "今晚八点开播。")
    page.click("text=Check before sending")
    expect(page.locator(".conditions")).to_have_text(
        "Types Live room Except 直播间 07, 直播间 59"
    )
    check_page(page, "check")
    page.check("[name=sure]")
    page.click("text=Send to 58 groups")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 58 groups done")

    sent = Notification.objects.get()
    assert sent.audience_values == {
        "types": ["AVChatRoom"],
        "exceptions": ["live07", "live59"],
    }
    assert not sent.deliveries.filter(group_id__in=["live07", "live59"]).exists()


def test_by_label_with_named_members(open_write):
    page = open_write()

    page.check("[name=audience][value=rule]")
    page.check("[name=labels][value=North]")
    shows(page, "1 group", "24 people", "Switched off: 1")
    page.check("[name=members][value=named]")
    page.fill("#id_recipients", "anna li")
    shows(page, "1 group", "2 in each group", "Switched off: 1")
    page.check("[name=types][value=AVChatRoom]")
    page.uncheck("[name=labels][value=North]")
    expect(page.locator("#count-problem")).to_have_text(
        "All groups that fit are left out. Can only be sent to everyone: 60."
    )
    page.uncheck("[name=types][value=AVChatRoom]")
    page.check("[name=labels][value=North]")
    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")

    summary = page.locator(".left-out summary")
    expect(summary).to_contain_text("1 group is left out Switched off: 1")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".left-out li")).to_have_text(["Old club Switched off"])
    check_page(page, "left out")


@pytest.mark.parametrize(
    ("width", "height", "theme"), [(1440, 900, "dark"), (390, 844, "light")]
)
def test_by_a_saved_audience(open_write, live_server, width, height, theme):
    page = open_write(width, height, theme)
    page.goto(live_server.url + "/write/?audience=Northern%20groups")

    expect(page.locator("[name=audience][value=saved]")).to_be_checked()
    field = page.get_by_role("combobox", name="Audience", exact=True)
    expect(field).to_have_value("Northern groups")
    shows(page, "1 group", "24 people", "Switched off: 1")
    expect(page.locator("#id_groups")).to_be_hidden()
    check_page(page, "a saved audience")

    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")
    expect(page.locator(".conditions")).to_have_text(
        "Audience Northern groups Labels North"
    )
    assert Notification.objects.get().audience_values == ["Northern groups"]
