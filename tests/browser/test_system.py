"""The System page and the check of the connection in a real browser."""

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from notifications import audit_log, permissions
from notifications.delivery import requests
from notifications.management.commands.send_worker import HANDLERS
from notifications.models import Capability, Notification
from notifications.sandbox.protocol import Account
from notifications.system.audit_events import CONNECTION_CHECKED
from notifications.system.connection_check import MIN_INTERVAL
from tests.browser.conftest import check_page, come_in
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def check(page):
    page.click("#content [type=submit] >> text=Check the connection")
    expect(page.locator(".notice[role=status]")).to_contain_text("no worker is running")


def test_from_the_state_to_a_notice_that_goes_out(page, live_server, sandbox):
    user = make_user(permissions.SYSTEM_ADMINISTRATOR)
    user.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    make_group(group_id="hikers")
    come_in(page, live_server.url, to="/system/")
    expect(page.locator(".notice.warn").first).to_contain_text("needs somebody")
    check_page(page, "system")

    page.click(".tabs >> text=Connection")
    check_page(page, "connection, not checked")
    sandbox.change_key("another")
    check(page)
    check_page(page, "connection, asked")
    requests.answer_waiting(HANDLERS)
    # The page reloads by itself.
    expect(page.locator(".headline")).to_have_text("The connection does not work.")
    page.click(".hints summary")
    check_page(page, "connection, wrong key")

    sandbox.change_key(Account().key)
    # An older check as the last one, so that the next one need not wait.
    before = timezone.now() - MIN_INTERVAL
    audit_log.write(CONNECTION_CHECKED, "operator", at=before, steps=[])
    check(page)
    requests.answer_waiting(HANDLERS)
    expect(page.locator(".headline")).to_have_text("The connection works.")
    page.fill("#id_group", "hikers")
    check_page(page, "connection, it works")
    page.click("text=Send the test notice")
    expect(page.locator("h1")).to_contain_text("Notification")
    assert Notification.objects.get().sender == user


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"new_customer": True}, ["system_notification"]),
        ({"edition": "professional"}, ["named_members", "receipts"]),
        ({"switched_off": {"group_msg_recall": 10041}}, ["recall"]),
    ],
    ids=["new customer", "professional", "no recalls"],
)
def test_what_the_application_may_do(page, live_server, sandbox, changes, refused):
    user = make_user(permissions.SYSTEM_ADMINISTRATOR)
    user.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    sandbox.change_application(**changes)
    name = "@TGS#1" + "ABCDEFGH" * 5  # as long as an ID may be
    sandbox.add_group(name, "Public")
    make_group(group_id=name, name="测试群" * 8)
    come_in(page, live_server.url, to="/system/connection/")
    check_page(page, "capabilities, not tried")

    page.fill("#id_probe_group", name)
    page.click("text=Show what members will see")
    expect(page.locator("#capabilities ol li")).to_have_count(5)
    check_page(page, "capabilities, plan")
    page.click("text=Probe with this group")
    expect(page.locator(".notice[role=status]")).to_contain_text("no worker is running")
    check_page(page, "capabilities, asked")
    requests.answer_waiting(HANDLERS)

    # The page reloads by itself.
    expect(page.locator("#capabilities .badge.s-failed")).to_have_count(len(refused))
    check_page(page, "capabilities, probed")
    rows = Capability.objects.filter(answer="no").exclude(
        name__in=["online_only_seq", "targeted_in_history"]
    )
    assert sorted(rows.values_list("name", flat=True)) == refused
