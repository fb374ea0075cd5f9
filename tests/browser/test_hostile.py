"""Hostile texts in a real browser: no script runs, nothing is wider than the window."""

import pytest
from playwright.sync_api import expect

from notifications import audit_log, permissions
from notifications.delivery.audit_events import PAUSED
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.browser.test_picker import PASTE
from tests.factories import (
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)
from tests.hostile import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def addresses() -> list[str]:
    """Every text in lists; pages of one with all of them, each in a delivery."""
    sender = make_user(permissions.COMMUNITY_MANAGER, first_name=HOSTILE["svg"])
    found = []
    for text in HOSTILE.values():
        sent = make_notification(
            sender=sender,
            sender_name=text[:150],
            status="completed",
            content=text,
            note=text[:200],
            audience_count=1,
        )
        group = make_group(name=text[:100])
        row = make_delivery(sent, group, status="failed", error_info=text)
        make_attempt(row, outcome="rejected", error_info=text)
        make_seal(sent)
        audit_log.write(PAUSED, text[:150], notification=sent.pk, note=text)
        if text in WORST:
            found += [f"/sent/{sent.pk}/", f"/history/deliveries/{row.pk}/"]
    return [*LISTS, *found]


LISTS = [
    "/",
    "/history/",
    "/history/deliveries/",
    "/history/actions/",
    "/notifications/chatgroup/",
]
WORST = {HOSTILE[name] for name in ("script", "letters without a space", "many marks")}


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_nothing_runs_and_all_fits(
    browser, live_server, addresses, width, height, theme
):
    make_user(permissions.AUDITOR, username="wang.fang")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: said.append(message.text))
    come_in(page, live_server.url, "wang.fang")

    for address in addresses:
        page.goto(live_server.url + address)
        check_page(page, address)
        assert page.evaluate("window.ran === undefined"), address
    assert said == []  # no dialog, and no violation of the content security policy
    context.close()


@pytest.fixture
def write_page(browser, live_server):
    """The Write page of a manager, and what the browser reports."""
    make_user(permissions.COMMUNITY_MANAGER)
    context = browser.new_context()
    page = context.new_page()
    reported = []
    page.on(
        "dialog", lambda dialog: (reported.append(dialog.message), dialog.dismiss())
    )
    page.on("console", lambda message: reported.append(message.text))
    page.on("pageerror", lambda error: reported.append(str(error)))
    come_in(page, live_server.url, to="/write/")
    yield page, reported
    context.close()


MARKUP = ["script", "svg", "image", "end of title", "attribute", "other quotes"]


def test_the_picker_shows_names_as_text(write_page):
    page, reported = write_page
    names = [HOSTILE[name] for name in MARKUP]
    for number, name in enumerate(names):
        make_group(group_id=f"g{number}", name=name)

    page.focus("#id_groups")
    page.keyboard.type("g")
    expect(page.get_by_role("option")).to_have_count(len(names))
    suggestions = page.get_by_role("option").all_text_contents()
    page.evaluate(PASTE, ";".join(f"g{n}" for n in range(len(names))))
    expect(page.locator(".chip-name")).to_have_count(len(names))
    chips = page.locator(".chip-name").all_text_contents()

    for shown in (suggestions, chips):
        assert [n for n in names if not any(n in text for text in shown)] == []
    assert page.evaluate("window.ran === undefined")
    assert reported == []


PROPERTIES = ["__proto__", "constructor", "prototype", "toString"]
OF_EVERY_OBJECT = "Object.getOwnPropertyNames(Object.prototype).sort().join()"


def test_an_id_is_never_the_name_of_a_property(write_page):
    page, reported = write_page
    for group_id in PROPERTIES:
        make_group(group_id=group_id, name=f"Group {group_id}")
    before = page.evaluate(OF_EVERY_OBJECT)

    page.focus("#id_groups")
    page.evaluate(PASTE, ";".join(PROPERTIES))
    expect(page.locator(".chip-name")).to_have_count(len(PROPERTIES))

    posted = page.eval_on_selector("textarea[name=groups]", "e => e.value")
    assert posted.split() == PROPERTIES
    assert page.evaluate(OF_EVERY_OBJECT) == before
    assert page.evaluate("({}).name === undefined")
    assert reported == []
