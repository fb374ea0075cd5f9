"""Invitation, forgotten password, asking again and approval in a real browser."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from playwright.sync_api import Page, expect

from notifications import permissions
from notifications.models import SendingSwitch
from tests.browser.conftest import check_page, come_in
from tests.factories import PASSWORD, make_app, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECRET = "a long enough pass phrase"


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def submit(page: Page) -> None:
    page.click("#content [type=submit]")


def set_password(page: Page) -> None:
    heading(page, "Set your password")
    check_page(page, "set the password")
    page.fill("[name=new_password1]", "short")
    page.fill("[name=new_password2]", "short")
    submit(page)
    expect(page.locator(".errorlist")).to_contain_text("too short")
    check_page(page, "a short password")
    page.fill("[name=new_password1]", SECRET)
    page.fill("[name=new_password2]", SECRET)
    submit(page)
    heading(page, "Log in")
    expect(page.locator(".messagelist")).to_contain_text("Your password is set.")


def test_an_invitation(page, live_server):
    make_user(permissions.PEOPLE_ADMINISTRATOR)
    come_in(page, live_server.url, to="/auth/user/add/")
    check_page(page, "add a person")
    page.fill("[name=username]", "wang.fang")
    submit(page)
    heading(page, "A link for a new password")
    check_page(page, "the link")
    url = page.locator("#password-link").input_value()
    page.context.clear_cookies()

    page.goto(url)
    set_password(page)
    page.fill("#id_login", "wang.fang")
    page.fill("#id_password", SECRET)
    page.click("#login-form [type=submit]")
    heading(page, "Overview")

    page.context.clear_cookies()
    page.goto(url)
    expect(page.locator(".errornote")).to_contain_text("This link is invalid")
    check_page(page, "a used link")


def test_a_forgotten_password(page, live_server, has_mail):
    make_user(permissions.AUDITOR, email="mei@example.com")
    page.goto(live_server.url + "/login/")
    check_page(page, "login")

    page.click("text=Password forgotten")
    check_page(page, "forgotten")
    page.fill("[name=email]", "mei@example.com")
    submit(page)
    expect(page.locator(".messagelist")).to_contain_text("a link is on its way")
    check_page(page, "on its way")
    (sent,) = mail.outbox
    (url,) = (line for line in sent.body.splitlines() if line.startswith("http"))
    page.goto(url)
    set_password(page)

    assert User.objects.get().check_password(SECRET)


def test_the_end_of_stop_all_asks_again(page, live_server):
    make_user(permissions.COMMUNITY_MANAGER)
    come_in(page, live_server.url, to="/sending/", is_proved=False)
    page.click("text=Stop everything")
    page.click("button:has-text('Allow sending again')")
    heading(page, "Confirm that it is you")
    check_page(page, "again")
    assert SendingSwitch.present().is_off

    page.fill("[name=password]", PASSWORD)
    submit(page)

    expect(page.locator("#content")).to_contain_text("Sending is allowed.")
    assert not SendingSwitch.present().is_off


def test_what_was_typed_about_a_person_is_kept(page, live_server):
    make_user(permissions.PEOPLE_ADMINISTRATOR)
    person = make_user(permissions.AUDITOR, username="wang.fang")
    come_in(page, live_server.url, to=f"/auth/user/{person.pk}/change/")
    page.fill("[name=first_name]", "Fang")
    come = page.context.new_page()
    come_in(come, live_server.url, is_proved=False)  # the proof is too old now
    come.close()

    submit(page)
    page.fill("[name=password]", PASSWORD)
    submit(page)

    heading(page, "People")
    person.refresh_from_db()
    assert person.first_name == "Fang"


def test_a_second_administrator_approves(page, live_server):
    first = make_user(permissions.PEOPLE_ADMINISTRATOR, username="first")
    make_user(permissions.PEOPLE_ADMINISTRATOR, username="second")
    person = make_user(permissions.COMMUNITY_MANAGER, username="wang.fang")
    make_app(person)
    come_in(page, live_server.url, first.username, to=f"/auth/user/{person.pk}/change/")
    page.click("text=Remove, if it is lost")
    check_page(page, "lost")
    page.fill("[name=reason]", "Phone lost")
    page.click("button.danger")
    expect(page.locator(".messagelist")).to_contain_text("second administrator")
    check_page(page, "requested")

    page.context.clear_cookies()
    come_in(page, live_server.url, "second", to="/auth/user/")
    check_page(page, "people with a request")
    page.click("text=Look at it")
    check_page(page, "to approve")
    page.click("button:has-text('Approve')")
    expect(page.locator(".messagelist")).to_contain_text("Approved and done.")
    expect(page.locator("#content")).to_contain_text("decided by second")
    check_page(page, "approved")
