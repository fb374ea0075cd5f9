"""The Check page in a real browser: everything important is visible before sending."""

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import check_page, come_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_box_to_tick_is_in_sight_and_a_double_click_sends_once(
    browser, live_server, width, height
):
    make_user(permissions.COMMUNITY_MANAGER)
    for number in range(12):
        make_group(group_id=f"g{number}", name=f"Group {number}")
    page = browser.new_page(viewport={"width": width, "height": height})
    come_in(page, live_server.url, to="/write/")
    page.check("[name=audience][value=every]")
    page.fill("#id_content", "明天见")
    page.click("text=Check before sending")

    box = page.locator("[name=sure]")
    expect(box).to_be_in_viewport(ratio=1)
    page.click("text=Send to 12 groups")
    expect(page.locator(".sure-row .errorlist")).to_be_in_viewport(ratio=1)
    expect(page.locator(".sure-row .errorlist")).to_have_text(
        "Tick the box: this goes to 12 groups."
    )
    check_page(page, "box not ticked")

    box.check()
    page.dblclick("text=Send to 12 groups")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 12 groups done")
    assert Notification.objects.get().deliveries.count() == 12
    page.close()


@pytest.mark.parametrize("width", [768, 900, 1099, 1100])
def test_the_list_of_groups_never_scrolls_sideways(browser, live_server, width):
    make_user(superuser=True)
    make_group(name="周末徒步·杭州西湖线 and a name that is rather long for a column")
    page = browser.new_page(viewport={"width": width, "height": 900})
    come_in(page, live_server.url, to="/notifications/chatgroup/")

    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    check_page(page, "groups")
    assert page.evaluate(
        "(r => r.scrollWidth <= r.clientWidth)(document.querySelector('.results'))"
    )
    page.close()
