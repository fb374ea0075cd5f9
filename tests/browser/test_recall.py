"""A wrong date is noticed: taken back while it is going out, sent anew, and corrected."""

import re
from functools import partial

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import Channel, ChatGroup, GroupType, Label, Notification
from notifications.sandbox.messages import State
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.browser.test_new_customer import running_worker
from tests.factories import make_delivery, make_notification, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GROUPS = 200
TYPES = [kind for kind in GroupType.values if kind != GroupType.B_CHAT_ROOM]
LIVE = sum(TYPES[n % len(TYPES)] == GroupType.AV_CHAT_ROOM for n in range(GROUPS))
WRONG = "系统维护：11 月 31 日 23:00–23:30，届时无法发送消息。"
RIGHT = "系统维护：12 月 1 日 23:00–23:30，届时无法发送消息。"
LATER = "系统维护：12 月 1 日 23:30–24:00，届时无法发送消息。"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def groups(sandbox):
    for number in range(GROUPS):
        kind = TYPES[number % len(TYPES)]
        sandbox.add_group(f"@TGS#{number}", kind)
        ChatGroup.objects.create(
            group_id=f"@TGS#{number}",
            name=f"周末徒步·杭州西湖线 {number}",
            type=kind,
            member_count=number,
        )
    label = Label.objects.create(name="杭州")
    label.groups.set(ChatGroup.objects.all()[:20])
    return list(ChatGroup.objects.order_by("pk"))


@pytest.fixture
def wrong(manager, groups):
    notification = make_notification(
        sender=manager,
        status="sending",
        channel=Channel.GROUP_MESSAGE,
        content=WRONG,
        audience="every",
        audience_count=GROUPS,
    )
    for group in groups:
        make_delivery(notification, group, not_before=notification.created_at)
    return notification


def texts(sandbox) -> list[str]:
    """What members see now, in all groups."""
    return [
        message.text
        for number in range(GROUPS)
        for message in sandbox.store.of_group(f"@TGS#{number}")
        if message.state is State.THERE
    ]


@pytest.mark.parametrize(
    ("view", "language", "locale"),
    [(VIEWS[0], "en", "en-US"), (VIEWS[1], "zh-hans", "zh-CN")],
    ids=["1440-light-en", "390-dark-zh"],
)
def test_a_wrong_date(
    browser, live_server, sandbox, settings, wrong, view, language, locale
):
    width, height, theme = view
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, locale=locale
    )
    page = context.new_page()
    # Of pages and scripts, also what the Content Security Policy blocks.
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)

    def check(name):
        assert errors == []
        check_page(page, name)
        errors.clear()  # axe itself causes some

    settings.IM_CALLS_PER_SECOND = 20  # so that it is going out for some seconds
    come_in(page, live_server.url, to=wrong.get_absolute_url())
    with translation.override(language):
        with running_worker():
            take_back(page, check)
        assert texts(sandbox) == []
        settings.IM_CALLS_PER_SECOND = 200
        with running_worker():
            send(page, live_server.url)
            assert texts(sandbox) == [RIGHT] * GROUPS
            correct(page, check)
    assert sorted(texts(sandbox)) == sorted([RIGHT] * LIVE + [LATER] * (GROUPS - LIVE))
    assert errors == []
    context.close()


def take_back(page, check):
    """Three clicks, while it is going out."""
    # At least ten groups have it.
    accepted = page.locator(".counts li", has=page.locator(".s-accepted"))
    expect(accepted).to_have_text(re.compile(r"\d\d"), timeout=20_000)
    check("sending")
    page.click(f"a:has-text('{_('Take back…')}')")
    expect(page.locator("#numbers")).to_contain_text(_("Sending stops first"))
    check("recall")
    page.click(f".submit-row [type=submit]:has-text('{_('Stop and take back')}')")
    expect(page.locator(".field-reason .errorlist")).to_have_count(1)
    check("recall, without a reason")
    page.fill("#id_reason", "日期写错了，稍后重发")
    expect(page.locator(".byte-count")).to_contain_text("30 / 100")
    page.click(f".submit-row [type=submit]:has-text('{_('Stop and take back')}')")
    page.wait_for_url("**/sent/*/")
    run = Notification.objects.get(channel=Channel.RECALL)
    assert page.url.endswith(run.get_absolute_url())
    _until_over(page)
    run.refresh_from_db()
    assert run.amends.status == "cancelled"
    assert 10 <= run.audience_count < GROUPS
    page.goto(page.url.replace(run.get_absolute_url(), run.amends.get_absolute_url()))
    check("the original")
    page.click(f"a:has-text('{_('Take back…')}')")
    expect(page.locator("#numbers .left-out")).to_contain_text(_("taken back already"))
    check("nothing left")


def send(page, url):
    page.goto(f"{url}/write/")
    page.check("input[name=channel][value=group_message]")
    page.check("input[name=audience][value=every]")
    page.fill("#id_content", RIGHT)
    page.click(".submit-row [type=submit]")
    page.check("#id_sure")
    page.click(f".submit-row [type=submit]:has-text('{GROUPS}')")
    _until_over(page)


def correct(page, check):
    page.click(f"a:has-text('{_('Correct the text…')}')")
    page.fill("#id_content", "")
    page.click(f"[type=submit]:has-text('{_('Check the correction')}')")
    expect(page.locator(".field-content .errorlist")).to_have_count(1)
    page.fill("#id_content", LATER)
    page.fill("#id_note", "T-1207")
    page.locator(".folded summary").click()
    check("correct")
    page.locator(".folded summary").click()
    page.click(f"[type=submit]:has-text('{_('Check the correction')}')")
    expect(page.locator(".differences")).to_contain_text(RIGHT)
    expect(page.locator(".differences")).to_contain_text(LATER)
    expect(page.locator(".left-out summary")).to_contain_text(str(LIVE))
    check("check of the correction")
    page.click(f"[type=submit]:has-text('{_('Back to editing')}')")
    expect(page.locator("#id_content")).to_have_value(LATER)
    page.click(f"[type=submit]:has-text('{_('Check the correction')}')")
    sentence = partial(ngettext, "Correct in %(n)s group", "Correct in %(n)s groups")
    button = sentence(GROUPS - LIVE) % {"n": GROUPS - LIVE}
    page.click(f"[type=submit]:has-text('{button}')")
    _until_over(page)
    check("corrected")


def _until_over(page):
    expect(page.locator(".counts .s-sending")).to_have_count(0, timeout=30_000)
    page.reload()  # as the script does now
