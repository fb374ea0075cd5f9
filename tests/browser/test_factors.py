"""Second factors in a real browser: app, recovery code, passkey, loss."""

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from notifications import permissions
from notifications.models import AuditEntry
from tests.browser.conftest import check_page, come_in, log_in
from tests.factories import PASSWORD, code_of, make_app, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def add_authenticator(page: Page) -> None:
    """Let the browser keep passkeys, as a phone that recognized its owner."""
    chrome = page.context.new_cdp_session(page)
    chrome.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    chrome.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def log_out(page: Page) -> None:
    page.click(".who summary")
    page.click("#logout-form button")


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def test_who_must_have_one_sets_it_up_and_is_asked_for_it(page, live_server, settings):
    settings.SECOND_FACTOR = "senders"
    make_user(permissions.COMMUNITY_MANAGER)
    log_in(page, live_server.url)
    heading(page, "Set up a second factor")
    check_page(page, "demanded")
    page.goto(live_server.url + "/write/")
    heading(page, "Set up a second factor")

    page.click("text=Set up an authenticator app")
    check_page(page, "key")
    page.fill("[name=code]", "000000")
    page.click("#content form:has([name=code]) [type=submit]")
    expect(page.locator(".errorlist")).to_contain_text("This code is wrong")
    check_page(page, "a wrong code")
    key = re.sub(r"\s", "", page.locator(".key").inner_text())
    page.fill("[name=code]", code_of(key))
    page.click("#content form:has([name=code]) [type=submit]")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    check_page(page, "recovery codes")
    code = page.locator(".recovery-codes li").first.inner_text()
    page.click("text=I have kept them")
    heading(page, "Overview")

    log_out(page)
    log_in(page, live_server.url)
    heading(page, "Second step")
    check_page(page, "second step")
    page.fill("[name=code]", code)
    page.click("#content form:has([name=code]) [type=submit]")
    expect(page.locator(".messagelist")).to_contain_text("9 are left")
    page.goto(live_server.url + "/account/")
    expect(page.locator("#content")).to_contain_text("9 recovery codes are left")
    check_page(page, "account")


def test_a_passkey_is_set_up_and_asked_for(page, live_server):
    make_user(permissions.AUDITOR)
    add_authenticator(page)
    come_in(page, live_server.url, to="/account/", is_proved=False)
    page.click("text=Set up a passkey")
    heading(page, "Confirm that it is you")
    check_page(page, "password again")
    page.fill("[name=password]", PASSWORD)
    page.click("#content [type=submit]")
    check_page(page, "new passkey")
    page.fill("[name=name]", "Phone <b>")
    page.click("#passkey-add")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.click("text=I have kept them")
    expect(page.locator("#content")).to_contain_text("The passkey “Phone <b>”")
    check_page(page, "account with a passkey")

    log_out(page)
    log_in(page, live_server.url)
    heading(page, "Second step")
    check_page(page, "passkey asked for")
    page.click("#passkey-use")
    heading(page, "Overview")
    details = AuditEntry.objects.filter(action="logged_in").values_list("detail")
    assert [detail for (detail,) in details.order_by("pk")] == [
        {"second_factor": "awaited"},
        {"second_factor": "passkey"},
    ]

    # It also proves who one is, when the login is too long ago, and is removed then.
    come_in(page, live_server.url, to="/account/", is_proved=False)
    page.click("#content .factors >> text=Remove")
    page.click("text=Use your passkey instead")
    check_page(page, "passkey again")
    page.click("#passkey-use")
    heading(page, "Remove the passkey “Phone <b>”?")
    page.click("#content [type=submit]")
    expect(page.locator(".messagelist")).to_contain_text("is removed")
    assert not Authenticator.objects.exists()


def test_a_passkey_is_the_only_login(page, live_server, settings):
    settings.PASSKEY_LOGIN = "only"
    make_user(permissions.AUDITOR)
    add_authenticator(page)
    page.goto(live_server.url + "/login/")
    check_page(page, "passkey first")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form [type=submit]")
    heading(page, "Set up a second factor")
    page.click("text=Set up a passkey")
    page.click("#passkey-add")
    page.click("text=I have kept them")
    heading(page, "Overview")

    log_out(page)
    page.goto(live_server.url + "/login/?next=/account/")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form [type=submit]")
    expect(page.locator(".errornote:visible")).to_have_text(
        "Log in with your passkey instead."
    )
    page.click("#passkey-login")
    heading(page, "Account")


def test_a_browser_without_a_passkey_says_so(page, live_server, settings):
    settings.PASSKEY_LOGIN = "on"
    add_authenticator(page)
    page.goto(live_server.url + "/login/")

    page.click("#passkey-login")

    expect(page.locator(".passkey-error")).to_be_visible()
    check_page(page, "no passkey")


def test_a_lockout_says_until_when(page, live_server):
    make_user(permissions.AUDITOR)
    for _n in range(5):
        page.goto(live_server.url + "/login/")
        page.fill("#id_login", "lin.mei")
        page.fill("#id_password", "wrong")
        page.click("[type=submit]")

    heading(page, "Locked for a while")
    check_page(page, "locked")


def test_one_that_was_lost_is_removed_by_somebody_else(page, live_server):
    make_user(permissions.PEOPLE_ADMINISTRATOR)
    person = make_user(permissions.AUDITOR, username="wang.fang")
    make_app(person)
    come_in(page, live_server.url, to=f"/auth/user/{person.pk}/change/")

    page.click("text=Remove, if it is lost")
    check_page(page, "lost")
    page.click("button.danger")

    expect(page.locator(".messagelist")).to_contain_text("wang.fang")
    assert not Authenticator.objects.exists()
