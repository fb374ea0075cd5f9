"""A group message to 200 groups in a real browser: write, check, send, watch the end."""

import pytest
from playwright.sync_api import expect

from notifications import conf, permissions
from notifications.compose.services import sender_check
from notifications.delivery.worker import SendWorker
from notifications.models import GroupType, Notification
from notifications.rate_limit.clock import engine_clock
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import make_capability, make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GROUPS = 200
# Six types in turn; one of them gets no group messages.
REACHED = sum(GroupType.values[n % 6] != "BChatRoom" for n in range(GROUPS))


def send_all() -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=8,
    ).run()


@pytest.fixture
def groups(sandbox):
    for number in range(GROUPS):
        kind = GroupType.values[number % 6]
        sandbox.add_group(f"@TGS#{number}", kind, members=["announcements"])
        make_group(group_id=f"@TGS#{number}", name=f"周末群 {number}", type=kind)


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_new_customer_sends_a_group_message(
    browser, live_server, groups, sandbox, worker_answers, monkeypatch,
    width, height, theme,
):  # fmt: skip
    monkeypatch.setattr(sender_check, "has_live_worker", lambda: True)
    make_user(permissions.COMMUNITY_MANAGER)
    make_capability("system_notification", "no", error_code=10026)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url, to="/write/")

    # Only one channel is offered: no choice, but the reason.
    expect(page.locator("input[name=channel][type=radio]")).to_have_count(0)
    expect(page.locator("#write-form")).to_contain_text(
        "System notification: not offered, because the application may not send it "
        "(code 10026, probed on 2026-03-02)."
    )
    page.check("input[name=audience][value=every]")
    page.fill("#id_content", "今晚 23:00–23:30 维护。")
    expect(page.locator("#group-count")).to_have_text(f"{REACHED} groups")
    expect(page.locator("#left-out")).to_have_text(
        f"Not reached by this channel: {GROUPS - REACHED}"
    )
    page.click(".folded summary")
    page.fill("#id_from_account", "nobody")
    check_page(page, "write")

    page.click("text=Check before sending")
    expect(page.locator("[role=alert]")).to_contain_text(
        "There is no account nobody in this application."
    )
    check_page(page, "unknown sender")
    page.click("text=Back to editing")
    expect(page.locator("#id_from_account")).to_have_value("nobody")
    page.fill("#id_from_account", "announcements")
    page.click("text=Check before sending")
    expect(page.locator(".phone")).to_contain_text("announcements")
    expect(page.locator("main")).to_contain_text(
        f"this channel does not reach them (Broadcast: {GROUPS - REACHED})."
    )
    check_page(page, "check")

    page.check("#id_sure")
    page.click(f"text=Send to {REACHED} groups")
    send_all()
    expect(page.locator("[role=status]")).to_have_text(
        f"Finished: Tencent accepted it for all {REACHED} groups.", timeout=15_000
    )
    page.reload()
    check_page(page, "progress")
    sent = Notification.objects.get()
    assert sent.deliveries.filter(status="accepted").count() == REACHED
    context.close()


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
