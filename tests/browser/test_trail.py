"""The audit trail in a real browser: filter by user, open an entry, download."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from notifications import audit_log, permissions
from notifications.access.audit_events import PERSON_CHANGED
from notifications.audit.settings_changes import record_settings
from notifications.audit_log import Origin
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import PAUSED
from tests.browser.conftest import VIEWS, check_page, log_in
from tests.factories import MOMENT, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def past() -> None:
    """51 pauses by one user, and one action of a superuser."""
    manager = make_user(first_name="Mei", last_name="Lin")
    chief = make_user(superuser=True, username="chief", first_name="Jie")
    pk = make_notification(sender=manager, status="sending").pk
    record_settings("send_worker (notifier)")
    for n in range(51):
        at = MOMENT + timedelta(minutes=n)
        with audit_log.origin(Origin(lambda: manager, "192.0.2.7")):
            audit_log.write(PAUSED, "lin.mei", at=at, notification=pk, note="日期有误")
    with audit_log.origin(
        Origin(lambda: chief, "2001:db8:4006:812:5f3a:9c1e:77b0:2004")
    ):
        after = {"is_active": False, "roles": ["Auditor", "Community manager"]}
        before = {"is_active": True, "roles": []}
        audit_log.write(
            PERSON_CHANGED, "chief", person="xu", before=before, after=after
        )
        audit_log.write(SENT, "chief", notification=pk, groups=1)


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_find_a_click_and_take_it_along(
    browser, live_server, past, width, height, theme, tmp_path
):
    make_user(permissions.AUDITOR, username="wang.fang")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    log_in(page, live_server.url, "wang.fang")

    page.click("#app-nav >> text=History")
    page.click("nav.tabs >> text=Audit trail")
    expect(page.locator(".head > p:first-child")).to_have_text(
        "55 entries, newest first"
    )
    expect(page.locator(".rows tbody tr").first).to_contain_text("Logged in.")
    check_page(page, "trail")
    page.click("text=Older ›")
    check_page(page, "older, with settings")
    page.click("text=‹ Newer")

    page.click("text=Same click >> nth=0")
    expect(page.locator(".rows tbody tr")).to_have_count(2)
    check_page(page, "one click")
    page.click(".tools .go >> text=Clear")

    if width < 768:
        page.click("text=Search and filter")
    page.fill("#id_who", "Mei Lin")
    page.select_option("#id_action", label="Paused")
    page.click(".tools .go button")
    expect(page.locator(".head > p:first-child")).to_have_text(
        "51 entries, newest first"
    )
    check_page(page, "filtered")

    with page.expect_download() as download:
        page.click("text=Download as JSON Lines")
    file = tmp_path / "trail.jsonl"
    download.value.save_as(file)
    lines = Path(file).read_text("utf-8").splitlines()
    assert {json.loads(line)["detail"]["note"] for line in lines} == {"日期有误"}
    assert len(lines) == 51

    page.goto(live_server.url + "/history/actions/?q=zzz&from=2026-13-45")
    expect(page.locator("#id_q_error")).to_contain_text("Enter a whole address")
    check_page(page, "bad filters")
    context.close()
