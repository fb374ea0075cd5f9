"""A real browser, in the four views that every page is looked at in.

Fixtures:
    browser     Chromium, one for the whole run

``check_page`` asks axe about the page that is open, and whether it fits the window.
"""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories import PASSWORD

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWS = [
    (1440, 900, "light"),
    (1440, 900, "dark"),
    (390, 844, "light"),
    (390, 844, "dark"),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _plain_names(settings: LazySettings) -> None:
    """The live server finds static files by their plain names only."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def log_in(page: Page, url: str, username: str = "lin.mei") -> None:
    """As a person does it."""
    page.goto(url + "/login/")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")


def check_page(page: Page, name: str) -> None:
    """No violation of accessibility, nothing wider than the window."""
    page.wait_for_load_state("load")
    violations = [
        (v["id"], v["nodes"][0]["html"]) for v in Axe().run(page).response["violations"]
    ]
    assert (name, violations) == (name, [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
