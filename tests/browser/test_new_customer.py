"""A new customer's path in a real browser: probe, write, send, ask Tencent, evidence.

The sandbox refuses system notifications and causes faults in six groups.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from django.utils import translation
from django.utils.translation import gettext, ngettext
from playwright.sync_api import expect

from notifications import conf, permissions
from notifications.delivery.reconcile.task import reconcile_task
from notifications.delivery.requests import request_task
from notifications.delivery.worker import SendWorker
from notifications.management.commands.send_worker import HANDLERS
from notifications.models import ChatGroup, GroupType, Notification
from notifications.rate_limit.clock import engine_clock
from notifications.record.sealing import seal_all
from tests.browser.conftest import VIEWS, check_page, come_in
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TYPES = GroupType.values
GROUPS = 200
LEFT_OUT = sum(TYPES[n % len(TYPES)] == "BChatRoom" for n in range(GROUPS))
SENT_TO = GROUPS - LEFT_OUT
# Group → fault. None of the groups is a live room: those have no history.
STORED = {6: "reset_after", 12: "close_after", 18: "garbage"}
NOT_STORED = {24: "reset_before", 30: "redirect"}
FAULTS = STORED | NOT_STORED | {36: "code:10010", 42: "code_times:60007:1"}
ACCEPTED = SENT_TO - len(NOT_STORED) - 1


@pytest.fixture
def _application(sandbox, settings):
    sandbox.change_application(new_customer=True)
    # Tencent is asked when ``watch`` says so; between two absences there is no wait.
    settings.IM_QUERY_AFTER_SECONDS = 300
    settings.IM_QUERY_AGAIN_AFTER_SECONDS = 0.5
    groups = [
        ChatGroup(
            group_id=f"@TGS#{number}",
            name=f"周末徒步·杭州西湖线 {number}",
            type=TYPES[number % len(TYPES)],
            member_count=number,
        )
        for number in range(GROUPS)
    ]
    for number, group in enumerate(groups):
        sandbox.add_group(group.group_id, group.type, members=["announcements"])
        if fault := FAULTS.get(number):
            sandbox.set_fault(group.group_id, fault)
    ChatGroup.objects.bulk_create(groups)


@contextmanager
def running_worker() -> Iterator[None]:
    stop = Event()
    im = conf.connection()
    tasks = [request_task(HANDLERS), reconcile_task(im, every=0.1)]
    worker = SendWorker(
        im, engine_clock(), stop_requested=stop.is_set, threads=8, tasks=tasks
    )

    def run() -> None:
        try:
            worker.run()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.usefixtures("_application")
@pytest.mark.parametrize(
    ("view", "language", "locale"),
    [(VIEWS[0], "en", "en-US"), (VIEWS[1], "zh-hans", "zh-CN")],
    ids=["1440-light-en", "390-dark-zh"],
)
def test_from_the_probe_to_the_evidence(
    browser, live_server, settings, tmp_path, view, language, locale
):
    width, height, theme = view
    user = make_user(permissions.COMMUNITY_MANAGER)
    for role in (permissions.SYSTEM_ADMINISTRATOR, permissions.AUDITOR):
        user.groups.add(Group.objects.get(name=role))
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        locale=locale,
    )
    page = context.new_page()
    # Of pages and scripts, also what the Content Security Policy blocks.
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)

    def check(name):
        assert errors == []
        check_page(page, name)
        errors.clear()  # axe itself causes some

    with translation.override(language), running_worker():
        probe(page, live_server.url)
        write(page, live_server.url, check)
        watch(page, settings, check)
        read(page, tmp_path, check)
    assert errors == []
    context.close()


def probe(page, url):
    come_in(page, url, to="/system/connection/")
    page.fill("#id_probe_group", "@TGS#1")
    page.click("#capabilities form[method=get] [type=submit]")
    page.click("#capabilities form[method=post] [type=submit]")
    # The page reloads by itself.
    refused = page.locator("#capabilities tr", has=page.locator(".badge.s-failed"))
    expect(refused).to_have_count(1, timeout=20_000)
    expect(refused).to_contain_text("10026")


def write(page, url, check):
    page.goto(f"{url}/write/")
    form = page.locator("#write-form")
    expect(page.locator("input[name=channel][type=radio]")).to_have_count(0)
    expect(form).to_contain_text(gettext("Group message"))
    # Why there is no choice.
    expect(form).to_contain_text("10026")
    page.check("input[name=audience][value=every]")
    page.fill("#id_content", "今晚 23:00–23:30 系统维护，届时无法发送消息。")
    page.click(".folded summary")
    page.check("#id_mention_all")
    expect(page.locator("#preview-all")).to_be_visible()
    page.uncheck("#id_mention_all")
    expect(page.locator("#preview-all")).to_be_hidden()
    page.fill("#id_from_account", "nobody")
    expect(page.locator("#preview-sender")).to_have_text("nobody")
    expect(page.locator("#group-count")).to_contain_text(str(SENT_TO))
    expect(page.locator("#left-out")).to_contain_text(str(LEFT_OUT))
    check("write")

    submit = page.locator(".submit-row [type=submit]").first
    submit.click()
    expect(page.locator("[role=alert]")).to_contain_text("nobody")
    page.click(f"text={gettext('Back to editing')}")
    page.fill("#id_from_account", "announcements")
    submit.click()
    expect(page.locator(".phone .sender")).to_contain_text("announcements")
    expect(page.locator(".notice.warn", has_text=str(LEFT_OUT))).to_be_visible()
    check("check")
    page.check("#id_sure")
    page.click(f".submit-row [type=submit]:has-text('{SENT_TO}')")


def watch(page, settings, check):
    """Every delivery is settled, once Tencent is asked."""
    unconfirmed = len(STORED) + len(NOT_STORED)
    asking = ngettext(
        "%(n)d not confirmed; asking Tencent, about %(left)s.",
        "%(n)d not confirmed; asking Tencent, about %(left)s.",
        unconfirmed,
    )
    start = asking.partition("%(left)s")[0] % {"n": unconfirmed}
    waits = page.locator(".waits", has_text=start)
    expect(waits).to_be_visible(timeout=20_000)
    expect(page.locator(".headline")).to_contain_text(
        str(SENT_TO - 1 - unconfirmed), timeout=20_000
    )
    check("asking Tencent")
    # As if this time had passed: now a person may ask.
    settings.IM_QUERY_AFTER_SECONDS = 0
    page.reload()
    page.click(f"text={gettext('Ask Tencent now')}")
    expect(page.locator(".headline")).to_contain_text(str(ACCEPTED), timeout=20_000)
    expect(page.locator(".waits")).to_have_count(0)
    sent = Notification.objects.get()
    results = sent.deliveries.values_list("status", "reason", "error_code")
    found = {result: list(results).count(result) for result in results}
    assert found == {
        ("accepted", "", 0): ACCEPTED - len(STORED),
        ("accepted", "in_history", None): len(STORED),
        ("failed", "not_in_history", None): len(NOT_STORED),
        ("failed", "", 10010): 1,
    }
    assert not sent.deliveries.filter(status="accepted", msg_seq=None).exists()


def read(page, folder, check):
    """The history, the page of a delivery with its query, and the evidence."""
    address = page.url
    seal_all()
    delivery = Notification.objects.get().deliveries.get(group_id="@TGS#6")
    page.click(".rows a[href$='reason=in_history']")
    page.click(f"a[href*='/deliveries/{delivery.pk}/']")
    for details in page.locator("details").all():
        details.evaluate("element => (element.open = true)")
    expect(page.locator("#content")).to_contain_text(f"{delivery.msg_seq}")
    expect(page.locator("#content")).to_contain_text("ReqMsgNumber")
    check("delivery")

    page.goto(address)
    with page.expect_download() as download:
        page.click("a[href*='/evidence/'], form[action*='/evidence/'] button")
    path = folder / "evidence.zip"
    download.value.save_as(path)
    # Tencent's number of the message, and its answer verbatim.
    with zipfile.ZipFile(path) as archive:
        [name] = [n for n in archive.namelist() if n.endswith("record.jsonl")]
        lines = archive.read(name).decode().splitlines()
    fields, *rows = map(json.loads, lines)
    place = ["delivery", *fields["delivery"]].index
    numbers = {
        row[place("group_id")]: row[place("msg_seq")]
        for row in rows
        if row[0] == "delivery"
    }
    assert numbers["@TGS#6"] == str(delivery.msg_seq)
    queries = [row for row in rows if row[:2] == ["query", str(delivery.pk)]]
    assert len(queries) == 1
    assert f'"MsgSeq":{delivery.msg_seq},' in str(queries[0])
