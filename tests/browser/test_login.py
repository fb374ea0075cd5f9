"""Single sign-on in a real browser, and the pages of the login in Chinese."""

import re
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import Page, expect

from notifications import permissions
from tests.access.sso.conftest import configured
from tests.access.sso.provider import Provider
from tests.browser.conftest import check_page, log_in
from tests.factories import PASSWORD, code_of, make_app, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def providers(settings) -> Iterator[list[Provider]]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with Provider(key) as corp, Provider(key, "partner") as partner:
        settings.SOCIALACCOUNT_PROVIDERS = configured(corp, partner)
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "notifications.access.backends.SsoBackend",
        ]
        yield [corp, partner]


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def test_single_sign_on(page, live_server, providers):
    page.goto(live_server.url + "/login/?next=/account/")
    buttons = page.locator("text=Log in with Keycloak")
    expect(buttons).to_have_count(2)
    check_page(page, "two providers")

    buttons.nth(1).click()

    heading(page, "Account")
    expect(page.locator("#content")).not_to_contain_text("Change password")
    check_page(page, "the account of single sign-on")
    assert [len(provider.tokens) for provider in providers] == [0, 1]


def test_a_refused_single_sign_on_says_so(page, live_server, providers):
    providers[0].claims["aud"] = "another"
    page.goto(live_server.url + "/login/")

    page.locator("text=Log in with Keycloak").first.click()

    heading(page, "Not logged in")
    expect(page.locator(".errornote")).to_be_visible()
    check_page(page, "refused")


def test_the_login_in_chinese(page, live_server):
    """Each page has its heading in Chinese, fits the window and is accessible."""
    person = make_user(permissions.COMMUNITY_MANAGER)
    app = make_app(person)
    page.set_extra_http_headers({"Accept-Language": "zh-CN"})
    seen = []

    def look(name: str) -> None:
        check_page(page, name)
        assert page.locator("html").get_attribute("lang") == "zh-hans"
        seen.append(page.locator("h1").inner_text())

    page.goto(live_server.url + "/login/forgotten/")
    look("forgotten")
    log_in(page, live_server.url, "nobody")
    look("a wrong name")
    page.fill("#id_login", "lin.mei")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form [type=submit]")
    look("the code")
    page.fill("[name=code]", code_of(app))
    page.click("#content form:has([name=code]) [type=submit]")
    page.goto(live_server.url + "/account/")
    look("account")
    page.goto(live_server.url + "/account/second-factor/passkey/")
    look("a passkey")

    assert [title for title in seen if not re.search("[\u4e00-\u9fff]", title)] == []
