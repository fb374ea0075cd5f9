"""Drafts in two tabs and in two hands, in a real browser in both widths."""

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Delivery, Notification
from tests.browser.conftest import check_page, come_in
from tests.factories import make_group, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def draft(manager):
    make_group(group_id="hikers", name="周末徒步")
    make_group(group_id="runners", name="Runners")
    return make_notification(
        sender=manager,
        content="TEXT ONE",
        recipients="peter",
        audience="chosen",
        audience_values=["hikers"],
    )


def edit_in_another_tab(page, address, text):
    """Save and come back; everyone in two groups instead of one member in one group."""
    tab = page.context.new_page()
    tab.goto(address)
    tab.fill("#id_content", text)
    tab.check("[name=members][value=everyone]")
    tab.fill("#id_groups", "runners")
    tab.press("#id_groups", "Enter")
    tab.click("text=Check before sending")
    expect(tab.locator(".bubble")).to_have_text(text)
    tab.close()


def test_an_edit_in_a_second_tab_refuses_the_send(page, live_server, draft):
    address = f"{live_server.url}/write/{draft.pk}/"
    come_in(page, live_server.url, to=f"/write/{draft.pk}/check/")
    edit_in_another_tab(page, address, "TEXT TWO")

    page.click("text=Send to 1 group")

    changed = page.locator(".changed")
    expect(changed.locator("dt")).to_have_text(["Message", "Members", "Groups"])
    expect(changed.locator(".message")).to_have_text(
        [
            "TEXT ONE",
            "TEXT TWO",
            "peter",
            "Everyone in the group",
            "1 group",
            "2 groups",
        ]
    )
    expect(changed.locator(".change")).to_have_text("Added: Runners")
    expect(page.locator(".bubble")).to_have_text("TEXT TWO")
    assert not Delivery.objects.exists()
    check_page(page, "changed since Check")

    page.click("text=Send to 2 groups")
    expect(page.locator("[role=status]")).to_have_text("Sending: 0 of 2 groups done")


def test_both_texts_of_a_draft_in_two_tabs(page, live_server, draft):
    address = f"{live_server.url}/write/{draft.pk}/"
    come_in(page, live_server.url, to=f"/write/{draft.pk}/")
    page.fill("#id_content", "TEXT THREE")
    edit_in_another_tab(page, address, "TEXT TWO")

    page.click("text=Check before sending")

    texts = page.locator(".changed .message")
    expect(texts.nth(0)).to_have_text("TEXT TWO")
    expect(texts.nth(1)).to_have_text("TEXT THREE")
    expect(page.locator("#id_content")).to_have_value("TEXT THREE")
    check_page(page, "conflict")
    keep = page.locator("text=Keep the stored one")
    expect(keep).to_have_attribute("href", f"/write/{draft.pk}/")
    page.click("text=Replace the stored one with mine")
    expect(page.locator(".bubble")).to_have_text("TEXT THREE")
    assert Notification.objects.get().content == "TEXT THREE"


def test_a_draft_is_handed_over_and_sent_by_the_colleague(
    page, browser, live_server, draft
):
    make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    come_in(page, live_server.url, to=f"/write/{draft.pk}/check/")
    page.click("text=Hand over to a colleague")
    check_page(page, "hand over")
    page.select_option("#id_to", label="j.okafor")
    page.click("button:has-text('Hand over')")
    expect(page.locator(".messagelist")).to_contain_text(
        "The draft is handed over to j.okafor."
    )
    expect(page.locator(".drafts")).to_have_count(0)

    size = page.viewport_size
    context = browser.new_context(viewport=size)
    other = context.new_page()
    come_in(other, live_server.url, "j.okafor", to="/write/")
    expect(other.locator(".drafts")).to_contain_text("Handed over by lin.mei")
    check_page(other, "drafts")
    other.click("text=TEXT ONE")
    other.click("text=Check before sending")
    expect(other.locator(".card").first).to_contain_text("Written by lin.mei")
    other.click("text=Send to 1 group")
    expect(other.locator("[role=status]")).to_have_text("Sending: 0 of 1 groups done")
    context.close()
    sent = Notification.objects.get()
    assert (sent.sender_name, sent.written_by_name) == ("j.okafor", "lin.mei")


def test_a_superuser_hands_over_the_draft_of_a_person_who_left(
    page, live_server, draft, manager
):
    make_user(username="chief", superuser=True)
    manager.is_active = False
    manager.save()
    come_in(page, live_server.url, "chief", to="/write/")
    check_page(page, "drafts of people who left")
    page.click(f"text=Hand over draft {draft.pk}")
    check_page(page, "hand over the draft of another person")
    page.select_option("#id_to", label="chief")
    page.click("button:has-text('Hand over')")

    expect(page.locator(".drafts")).to_contain_text("Handed over by chief")
