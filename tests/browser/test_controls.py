"""The controls over a send in a real browser, in all sizes and themes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Notification
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_schedule_pause_and_stop(browser, live_server, width, height, theme):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="周末徒步")
    draft = make_notification(
        sender=manager, audience="chosen", audience_values=["hikers"]
    )
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url)

    page.goto(f"{live_server.url}/write/{draft.pk}/check/")
    assert not page.is_visible("#id_start")
    page.check("input[name=moment][value=later]")
    page.click("text=Send to 1 group")
    expect(page.locator(".field-start .errorlist")).to_have_text(
        "Choose the time of the start, or pick “Now”."
    )
    check_page(page, "check with an error")
    tomorrow = timezone.localtime() + timedelta(days=1)
    page.fill("#id_start", tomorrow.strftime("%Y-%m-%dT%H:%M"))
    page.click("text=Send to 1 group")
    expect(page.locator("[role=status]")).to_contain_text("Scheduled for")
    check_page(page, "scheduled")

    page.click("text=Change the schedule")
    check_page(page, "reschedule")
    page.click("text=Save")
    expect(page.locator("[role=status]")).to_contain_text("Scheduled for")

    page.click("text=Pause…")
    page.fill("#pause-note", "wrong date")
    check_page(page, "pausing")
    page.click("text=Pause now")
    expect(page.locator(".notice.warn").first).to_contain_text("wrong date")
    check_page(page, "paused")
    page.click("text=Stop sending…")
    page.click("text=Stop now")
    expect(page.locator("[role=status]")).to_contain_text("Stopped:")
    check_page(page, "stopped")
    context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_send_again_and_clear_up(browser, live_server, width, height, theme):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="failed", error_code=60007)
    lost = make_delivery(first, status="unconfirmed")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url)

    page.goto(f"{live_server.url}/history/deliveries/{lost.pk}/")
    page.click("text=Write down what you found out…")
    page.fill("#resolve-note", "Anna saw it")
    check_page(page, "clearing up")
    page.click(".note-form button")
    expect(page.locator(".result")).to_contain_text("Anna saw it")
    check_page(page, "cleared up")

    page.goto(f"{live_server.url}/sent/{first.pk}/")
    check_page(page, "result")
    page.click("text=Send again to 1 group that did not confirm…")
    expect(page.locator(".notice.warn")).to_contain_text("could see it twice")
    check_page(page, "again")
    page.click("button:has-text('Send again to 1 group')")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 1 groups done")
    page.goto(f"{live_server.url}/sent/{first.pk}/")
    page.click("text=Try 1 failed group again…")
    check_page(page, "trying again")
    page.click("button:has-text('Send again to 1 group')")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 1 groups done")
    assert Notification.objects.filter(resend_of=first).count() == 2
    context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_colleague_takes_over(browser, live_server, width, height, theme):
    gone = make_user(permissions.COMMUNITY_MANAGER)
    make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    running = make_notification(sender=gone, status="sending")
    make_delivery(running)
    chief = make_user(superuser=True, username="chief")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()

    come_in(page, live_server.url, chief.username, to=f"/auth/user/{gone.pk}/change/")
    page.uncheck("#id_is_active")
    page.click("[name=_save]")
    come_in(page, live_server.url, "j.okafor", to=f"/sent/{running.pk}/")
    expect(page.locator(".notice.warn").first).to_contain_text(
        "The person who controls it may no longer send."
    )
    expect(page.locator("text=Continue sending")).to_have_count(0)
    page.click("text=Take over…")
    check_page(page, "taking over")
    page.click("text=Take over now")
    expect(page.locator(".prog")).to_contain_text("Controlled by j.okafor")
    check_page(page, "taken over")
    page.click("text=Continue sending")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 1 groups done")
    page.click("text=Stop sending…")
    page.click("text=Stop now")
    expect(page.locator("[role=status]")).to_contain_text("Stopped:")
    context.close()


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_stop_everything(browser, live_server, width, height, theme):
    make_user(permissions.COMMUNITY_MANAGER)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    come_in(page, live_server.url)

    page.click("#app-nav >> text=Stop all")
    check_page(page, "allowed")
    page.click("button:has-text('Stop everything')")
    expect(page.locator(".strip.stop")).to_contain_text("All sending is stopped")
    check_page(page, "stopped")
    page.goto(live_server.url + "/")
    page.click("text=Allow sending again")
    page.click("button:has-text('Allow sending again')")
    expect(page.locator(".strip.stop")).to_have_count(0)
    context.close()
