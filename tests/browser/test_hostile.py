"""Hostile texts in a real browser: no script runs, nothing is wider than the window."""

import pytest

from notifications import audit_log, permissions
from notifications.delivery.audit_events import PAUSED
from tests.browser.conftest import VIEWS, check_page, come_in
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


@pytest.mark.parametrize(("width", "height", "theme"), [VIEWS[0], VIEWS[3]])
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
