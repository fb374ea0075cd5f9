"""A real browser, with the two widths in which every page is tested.

Fixtures:
    browser     Chromium, one for the whole run
    page        a new page in each of the two widths

``come_in`` and ``log_in`` open the console for a user; ``check_page`` checks the current
page with axe in light and dark colours, and whether it fits the window.
"""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories import PASSWORD, prove

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Width, height and the colours while the page loads; ``check_page`` checks both colours.
VIEWS = [(1440, 900, "light"), (390, 844, "dark")]
# Return only violations: all results are fifty times as large.
VIOLATIONS = """
axe.run({resultTypes: ["violations"]}).then(
  found => found.violations.map(rule => [rule.id, rule.nodes[0].html])
)
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Headless Chromium needs half the CPU time.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]}-{view[2]}")
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height, theme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def _plain_names(settings: LazySettings) -> None:
    """The live server finds static files by their plain names only."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def log_in(page: Page, url: str, username: str = "lin.mei") -> None:
    """Log in with the form; ``come_in`` is cheaper for tests of other pages."""
    page.goto(url + "/login/")
    page.fill("#id_login", username)
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")


def come_in(
    page: Page,
    url: str,
    username: str = "lin.mei",
    *,
    to: str = "/",
    is_proved: bool = True,
) -> None:
    """Open the page ``to``, logged in with the cookie of a prepared session.

    Saves a page, a form and a redirect. Unlike ``log_in``, it writes no entry to the
    audit trail. Without ``is_proved``, the password was given long ago.
    """
    client = Client()
    client.force_login(User.objects.get(username=username))
    if is_proved:
        prove(client)
    name = django_settings.SESSION_COOKIE_NAME
    page.context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": url}]
    )
    page.goto(url + to)


def check_page(page: Page, name: str) -> None:
    """Check accessibility in both colours, and that nothing is wider than the window.

    A style sheet selects the colours, so that a page need not be loaded again.
    """
    page.wait_for_load_state("load")
    page.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        # Without a transition between the colours.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert (name, scheme, page.evaluate(VIOLATIONS)) == (name, scheme, [])
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
