"""A sync in a real browser, from the empty list of groups to its changes."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import GroupSync, SyncChange, SyncItem
from tests.browser.conftest import VIEWS, check_page, log_in
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_sync_is_followed_to_its_end(browser, live_server, width, height, theme):
    make_user(permissions.GROUP_ADMINISTRATOR)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    log_in(page, live_server.url)

    page.goto(live_server.url + "/notifications/chatgroup/")
    check_page(page, "no groups")
    page.locator(".empty-state button").click()
    expect(page.locator("[role=status]")).to_contain_text("no worker is running")
    check_page(page, "waiting")

    sync = GroupSync.objects.get()
    SyncItem.objects.create(sync=sync, group_id="a", is_done=True)
    for kind in SyncChange.Kind:
        SyncChange.objects.create(sync=sync, kind=kind, group_id="a", name="周末徒步")
    sync.status, sync.started_at = "failed", timezone.now()
    sync.finished_at, sync.error_code = timezone.now(), 60010
    sync.save()
    page.click("text=Show every change")  # the script brought it
    expect(page.locator("[role=status]")).to_contain_text("The sync failed")
    check_page(page, "a sync that failed")

    page.click("text=‹ Syncs")
    expect(page.locator("table.rows")).to_contain_text("1 added, 1 changed")
    check_page(page, "syncs")
    context.close()
