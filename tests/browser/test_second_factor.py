"""The second factor in a real browser: required setup, login, loss."""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from notifications import permissions
from tests.browser.conftest import check_page, come_in, log_in
from tests.factories import code_of, make_second_factor, make_user, wrong_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_who_must_have_one_sets_it_up_and_is_asked_for_it(page, live_server, settings):
    settings.SECOND_FACTOR = "senders"
    make_user(permissions.COMMUNITY_MANAGER)
    log_in(page, live_server.url)
    expect(page.locator("h1")).to_have_text("Set up a second factor")
    check_page(page, "demanded")
    page.goto(live_server.url + "/write/")
    expect(page.locator("h1")).to_have_text("Set up a second factor")

    page.click("#content [type=submit]")
    check_page(page, "key")
    device = TOTPDevice.objects.get()
    page.fill("[name=code]", wrong_code(device))
    page.click("#content [type=submit]")
    expect(page.locator(".errorlist")).to_contain_text("This code is wrong")
    check_page(page, "a wrong code")
    TOTPDevice.objects.update(throttling_failure_count=0)
    page.fill("[name=code]", code_of(device))
    page.click("#content [type=submit]")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    check_page(page, "recovery codes")
    code = page.locator(".recovery-codes li").first.inner_text()
    page.click("text=I have kept them")
    expect(page.locator("h1")).to_have_text("Overview")

    page.click(".who summary")
    page.click("text=Log out")
    log_in(page, live_server.url)
    expect(page.locator("h1")).to_have_text("Second step")
    check_page(page, "second step")
    page.fill("[name=code]", code)
    page.click("text=Log in >> nth=0")
    expect(page.locator(".messagelist")).to_contain_text("9 are left")
    page.goto(live_server.url + "/account/")
    expect(page.locator("#content")).to_contain_text("9 recovery codes are left")
    check_page(page, "account")


def test_one_that_was_lost_is_removed_by_somebody_else(page, live_server):
    make_user(permissions.PEOPLE_ADMINISTRATOR)
    person = make_user(permissions.AUDITOR, username="wang.fang")
    make_second_factor(person)
    come_in(page, live_server.url, to=f"/auth/user/{person.pk}/change/")

    page.click("text=Remove, if it is lost")
    check_page(page, "lost")
    page.click("button.danger")

    expect(page.locator(".messagelist")).to_contain_text("wang.fang")
    assert not TOTPDevice.objects.exists()
