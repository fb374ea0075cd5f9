"""The options of a group message on the Write page; its path: test_new_customer.py."""

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import check_page, come_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_options_belong_to_one_channel(page, live_server):
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="Hikers")
    come_in(page, live_server.url, to="/write/")
    folded = page.locator(".folded")
    expect(folded).to_be_hidden()

    page.check("input[name=channel][value=group_message]")
    expect(page.locator(".phone .sys:visible")).to_have_text("Message in the chat")
    page.click(".folded summary")
    page.uncheck("#id_push")
    page.fill("#id_push_title", "Tonight")
    page.check("input[name=audience][value=every]")
    page.fill("#id_content", "Hi")
    check_page(page, "options")
    page.click("text=Check before sending")
    expect(page.locator(".field-push_title .errorlist")).to_have_text(
        "The push is off. Remove its title, or switch the push on."
    )
    expect(folded).to_have_attribute("open", "")
    check_page(page, "errors")

    # Of another channel, they are ignored, and stay in the form.
    page.check("input[name=channel][value=system_notification]")
    expect(folded).to_be_hidden()
    page.click("text=Check before sending")
    expect(page.locator(".channel strong")).to_have_text("System notification")
    assert Notification.objects.get().message_options == ""


def test_without_javascript_the_options_are_there(browser, live_server):
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="Hikers")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    come_in(page, live_server.url, to="/write/")

    page.check("input[name=channel][value=group_message]")
    page.click(".folded summary")
    page.check("#id_mention_all")
    page.fill("#id_groups", "hikers")
    page.fill("#id_content", "Hi")
    page.click("text=Check before sending")

    expect(page.locator(".channel strong")).to_have_text("Group message")
    expect(page.locator(".phone")).to_contain_text("@all")
    context.close()
