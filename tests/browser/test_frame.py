"""Log in, people, roles, passwords and error pages in a real browser; checked by axe."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import LoginSession, Notification
from tests.browser.conftest import check_page, come_in, log_in
from tests.factories import make_delivery, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_login_page(page, live_server):
    make_user(permissions.AUDITOR)
    page.goto(live_server.url + "/")
    expect(page.locator("#id_login")).to_be_focused()
    check_page(page, "login")

    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", "wrong")
    page.click("[type=submit]")
    expect(page.locator("[role=alert]")).to_have_text(
        "Username or password is wrong. Capital letters count."
    )
    check_page(page, "wrong password")

    log_in(page, live_server.url)
    page.click(".who summary")
    check_page(page, "account menu")
    page.click("text=Log out")
    expect(page.locator("h1")).to_have_text("Logged out")
    check_page(page, "logged out")

    for _try in range(5):
        Client().post("/login/", {"login": "lin.mei", "password": "wrong"})
    log_in(page, live_server.url)
    expect(page.locator("h1")).to_have_text("Locked for a while")
    check_page(page, "locked")


def test_people_and_roles(page, live_server):
    user = make_user(superuser=True)
    make_user(permissions.AUDITOR, username="wang.fang", is_active=False)
    role = Group.objects.get(name=permissions.AUDITOR)
    Client().force_login(user)  # a second session for the list
    come_in(page, live_server.url)

    for address in (
        "/auth/user/",
        "/auth/user/add/",
        f"/auth/user/{user.pk}/change/",
        f"/people/{user.pk}/link/",
        "/account/address/",
        "/auth/group/",
        "/auth/group/add/",
        f"/auth/group/{role.pk}/change/",
        f"/auth/group/{role.pk}/delete/",
        "/password_change/",
        "/account/",
    ):
        page.goto(live_server.url + address)
        check_page(page, address)

    page.goto(live_server.url + "/auth/user/add/")
    page.click("#content [type=submit]")
    check_page(page, "a person with errors")
    page.goto(live_server.url + "/password_change/")
    page.click("#content [type=submit]")
    check_page(page, "a password with errors")


def test_refusals(page, live_server):
    make_user(permissions.AUDITOR)
    come_in(page, live_server.url)

    page.goto(live_server.url + "/auth/user/")
    expect(page.locator("h1")).to_have_text("Not for your login")
    check_page(page, "403")
    page.goto(live_server.url + "/nowhere/")
    expect(page.locator("h1")).to_have_text("Page not found")
    check_page(page, "404")

    page.click(".who summary")
    page.context.clear_cookies(name="csrftoken")
    page.click("text=Log out")
    expect(page.locator("h1")).to_have_text("This page was too old")
    check_page(page, "without its secret")


def test_a_page_whose_session_has_ended_says_so(page, live_server):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    notification = make_notification(status=Notification.Status.SENDING, sender=manager)
    for status in ("accepted", "failed", "queued"):
        make_delivery(notification, status=status)
    come_in(page, live_server.url)
    page.goto(f"{live_server.url}/sent/{notification.pk}/")
    expect(page.locator(".bar-parts")).to_have_attribute(
        "aria-label", "1 accepted, 1 failed or not confirmed, of 3"
    )
    expect(page.locator("#logged-out")).to_be_hidden()

    LoginSession.objects.all().delete()

    expect(page.locator("#logged-out")).to_have_text("You are logged out. Log in again")
    check_page(page, "session ended")
    page.click("text=Log in again")
    expect(page.locator(".messagelist")).to_contain_text("You are logged out.")
    log_in_here = page.locator("input[name=next]")
    expect(log_in_here).to_have_value(f"/sent/{notification.pk}/")
