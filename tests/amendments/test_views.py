"""The pages that take a notification back, or correct its text."""

import re

import pytest
from django.urls import reverse

from notifications import permissions
from notifications.amendments.messages import Part
from notifications.amendments.services import recall
from notifications.models import Capability, Channel, Notification
from tests.amendments.conftest import make_sending, work
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(manager, log_in):
    return log_in(manager)


def words(response) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(text.split())


def fields(response) -> dict[str, str]:
    """The hidden fields of the form of the page."""
    page = response.content.decode()
    names = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {k: v for k, v in names.items() if k != "csrfmiddlewaretoken"}


def recall_url(notification: Notification) -> str:
    return reverse("admin:recall", args=[notification.pk])


def correct_url(notification: Notification) -> str:
    return reverse("admin:correct", args=[notification.pk])


# --- recall --------------------------------------------------------------------------


def test_the_page_shows_what_a_recall_does(browser, sent):
    shown = words(browser.get(recall_url(sent)))

    assert "The message disappears from 3 groups" in shown
    assert "1 of them is a live room: there, only members who are online now" in shown
    assert "Can be taken back until 20" in shown
    assert "Take back from 3 groups" in shown


def test_the_button_takes_it_back(browser, sent, states):
    form = fields(browser.get(recall_url(sent)))

    response = browser.post(recall_url(sent), form | {"reason": "wrong date"})
    again = browser.post(recall_url(sent), form | {"reason": "wrong date"})

    run = Notification.objects.get(channel=Channel.RECALL)
    assert response.url == again.url == run.get_absolute_url()
    work()
    assert set(states().values()) == {""}
    after = words(browser.get(recall_url(sent)))
    assert "There is no message left to take back." in after
    assert "3 groups are left out 3 · taken back already" in after
    assert "Take back from" not in after


def test_an_earlier_failure_and_the_recall_are_named(browser, manager, sandbox, sent):
    sandbox.set_fault("plaza", "code:10010", command="group_msg_recall")
    run = recall(manager, sent.pk, reason="wrong date").run
    work()

    form = words(browser.get(recall_url(sent)))
    original = words(browser.get(sent.get_absolute_url()))

    assert "The message disappears from 1 group" in form
    assert "In 1 of them an earlier attempt failed: it may fail again" in form
    assert f"Taken back or corrected later: Recall {run.pk}" in original


def test_the_numbers_of_a_part(browser, sent):
    form = fields(browser.get(recall_url(sent)))
    page = browser.post(
        recall_url(sent), form | {"types": ["AVChatRoom"], "show": "1", "reason": "x"}
    )

    assert "The message disappears from 1 group" in words(page)
    assert 'value="x"' in page.content.decode()
    assert not Notification.objects.filter(amends=sent).exists()


def test_wrong_input_is_named_beside_its_field_and_kept(browser, sent):
    form = fields(browser.get(recall_url(sent)))
    page = browser.post(
        recall_url(sent),
        form | {"reason": "", "labels": ["North"], "group_ids": "plaza nowhere"},
    )

    shown = words(page)
    assert "3 things to correct" in shown
    assert "Write the reason: members may see it." in shown
    assert "There is no such label: North." in shown
    assert "This notification did not go to: nowhere. Remove these groups." in shown
    assert "plaza\nnowhere</textarea>" in page.content.decode()


def test_a_reason_that_is_too_long_names_the_bytes(browser, sent):
    form = fields(browser.get(recall_url(sent)))
    page = browser.post(recall_url(sent), form | {"reason": "日期错了" * 9})

    assert "The reason is 8 bytes too long; Tencent takes 100." in words(page)


def test_a_send_stops_first(browser, sandbox, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    original = make_sending(sandbox)
    page = browser.get(recall_url(original))
    assert "Sending stops first" in words(page)
    assert "No group has it yet" in words(page)

    response = browser.post(
        recall_url(original), fields(page) | {"reason": "wrong date"}, follow=True
    )

    original.refresh_from_db()
    assert original.status == "cancelled"
    assert "Stopped before any group got it." in words(response)


def test_a_stop_that_leaves_a_group_of_which_it_is_not_known(
    browser, sandbox, settings, tmp_path
):
    settings.STATE_DIR = tmp_path
    original = make_sending(sandbox)
    original.deliveries.filter(group_id="live").update(
        status="unconfirmed", reason="no_answer", random=7, attempt_count=1,
        finished_at=original.created_at,
    )  # fmt: skip
    form = fields(browser.get(recall_url(original)))

    shown = words(
        browser.post(recall_url(original), form | {"reason": "x"}, follow=True)
    )

    assert "Stopped before any group got it." not in shown
    assert "1 · not known whether the group got it" in shown


@pytest.mark.parametrize("field", ["types", "labels", "group_ids"])
@pytest.mark.parametrize("url", [recall_url, correct_url])
def test_a_null_character(browser, sent, url, field):
    """PostgreSQL refuses it in every query."""
    form = fields(browser.get(url(sent))) | {"reason": "x", "content": "y"}

    response = browser.post(url(sent), form | {field: "a\0b"})

    assert response.status_code == 200
    assert not sent.amendments.exists()


def test_the_probe_found_that_the_application_may_not(browser, sent, settings):
    Capability.objects.create(
        sdk_app_id=int(settings.IM_SDK_APP_ID),
        name="recall",
        answer="no",
        error_code=10041,
        probed_at=sent.finished_at,
    )
    shown = words(browser.get(recall_url(sent)))

    assert "The application may not take messages back (code 10041, probed on" in shown
    assert "Take back from 3 groups" in shown


@pytest.mark.parametrize("url", [recall_url, correct_url])
def test_a_system_notification_cannot_be_changed(browser, url):
    other = make_notification(status="completed")

    response = browser.get(url(other), follow=True)

    assert response.redirect_chain[0][0] == other.get_absolute_url()
    assert "system notification" in words(response).lower()


def test_only_people_who_may_send(log_in, sent):
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    for url in (recall_url(sent), correct_url(sent)):
        assert auditor.get(url).status_code == 403
        assert auditor.post(url).status_code == 403


# --- correction ----------------------------------------------------------------------

NEW = "Maintenance tomorrow\nfrom 23:00."


def check(browser, sent, **values):
    page = browser.get(correct_url(sent))
    return browser.post(correct_url(sent), fields(page) | {"content": NEW} | values)


def test_a_correction_is_checked_and_confirmed(browser, sent, states):
    page = check(browser, sent, note="T-12")
    shown = words(page)
    assert sent.content in shown
    assert "Correct in 2 groups" in shown
    assert (
        "1 group is left out 1 · a live room, where no text can be corrected" in shown
    )
    assert "T-12" in shown

    response = browser.post(correct_url(sent), fields(page))

    run = Notification.objects.get(channel=Channel.CORRECTION)
    assert response.url == run.get_absolute_url()
    assert (run.content, run.note) == (NEW, "T-12")
    work()
    assert states() == {"plaza": NEW, "hikers": NEW, "live": sent.content}


def test_back_keeps_the_input(browser, sent):
    page = check(browser, sent, types=["Public", "AVChatRoom"], note="T-12")
    back = browser.post(correct_url(sent), fields(page) | {"back": "1"})

    text = back.content.decode()
    assert NEW in text
    assert 'value="T-12"' in text


def test_what_changed_since_check_is_shown_before_it_is_confirmed(
    browser, manager, sent
):
    page = check(browser, sent)
    recall(manager, sent.pk, reason="closed", part=Part(group_ids=["plaza"]))
    work()

    again = browser.post(correct_url(sent), fields(page))

    assert "This has changed since the page was shown." in words(again)
    assert "Correct in 1 group" in words(again)
    assert not sent.amendments.filter(channel=Channel.CORRECTION).exists()


def test_the_same_text_is_refused(browser, sent):
    page = check(browser, sent, content=sent.content)

    assert "Every group that can be corrected has this text already." in words(page)
    assert "One thing to correct" in words(page)


def test_an_empty_text_is_refused(browser, sent):
    assert "Write the message." in words(check(browser, sent, content=" \n"))


def test_a_correction_waits_for_the_end_of_the_send(browser, sandbox):
    original = make_notification(status="sending", channel=Channel.GROUP_MESSAGE)
    make_delivery(original, make_group(), status="accepted", msg_seq=4)

    shown = words(browser.get(correct_url(original)))

    assert (
        "It is still being sent. Wait until it has finished, or stop it first." in shown
    )


# --- the page of a notification ------------------------------------------------------


def test_the_buttons_on_the_page_of_a_notification(browser, sent):
    page = words(browser.get(sent.get_absolute_url()))
    assert "Take back…" in page
    assert "Correct the text…" in page

    run = Notification.objects.create(
        amends=sent,
        channel=Channel.RECALL,
        content="x",
        audience="every",
        sender=sent.sender,
        sender_name="a",
        written_by=sent.sender,
        written_by_name="a",
    )
    run.start()
    assert "Take back…" not in words(browser.get(run.get_absolute_url()))


def test_a_notification_that_cannot_be_changed_says_why(browser):
    other = make_notification(status="completed")

    page = words(browser.get(other.get_absolute_url()))

    assert "Take back…" not in page
    assert "cannot be" in page
