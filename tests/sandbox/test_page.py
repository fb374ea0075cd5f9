"""The sandbox's page: notices and messages, the search, and the forms."""

import socket
from urllib.parse import urlencode, urlsplit

import pytest

from notifications.sandbox import page as sandbox_page
from notifications.sandbox.application import Application
from notifications.sandbox.faults import FAULTS, pattern
from notifications.sandbox.journal import JournalEntry
from notifications.sandbox.page import MAX_WINDOWS, render
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from tests.sandbox.raw import CUSTOM, IMAGE, send_message, text_element
from tests.sandbox.raw import ask as ask_call
from tests.tencent.wire import client_for

pytestmark = pytest.mark.one_database


@pytest.fixture
def server():
    with SandboxServer(SandboxConfig(groups=[])) as running:
        yield running


def call(server: SandboxServer, group_id: str, content: str, recipients=None) -> None:
    notice = SendGroupSystemNotification(group_id, "Public", content, recipients)
    with client_for(server.url) as client:
        client.call(notice)


def ask(server, method="GET", target="/", *, origin=None, host=None, **form):
    """Send an HTTP request; return status, location and text."""
    address = urlsplit(server.url)
    body = urlencode(form)
    fields = [f"Host: {host or address.netloc}", f"Content-Length: {len(body)}"]
    if origin is not None:
        fields.append(f"Origin: {origin}")
    head = "\r\n".join([f"{method} {target} HTTP/1.0", *fields, "", body])
    with socket.create_connection((address.hostname, address.port)) as s:
        s.sendall(head.encode())
        reply = s.makefile("rb").read().decode()
    top, _, text = reply.partition("\r\n\r\n")
    location = [x[10:] for x in top.split("\r\n") if x.startswith("Location: ")]
    assert "Content-Security-Policy: default-src 'none'" in top
    assert "form-action 'self'" in top
    assert {"X-Content-Type-Options: nosniff", "Referrer-Policy: same-origin"} < {
        *top.split("\r\n")
    }
    return int(top.split()[1]), "".join(location), text


def test_the_page_shows_what_members_got_and_escapes_it(server):
    server.add_group("g", "Public", name="<b>Hikers</b>")
    call(server, "g", "<script>", ["anna"])
    server.set_fault("g", "code:10010")
    call(server, "g", "no")
    call(server, "not-there", "x")

    status, _location, page = ask(server)

    assert status == 200
    assert "&lt;b&gt;Hikers&lt;/b&gt;" in page
    assert "&lt;script&gt;" in page
    assert "to 1 members: anna" in page
    assert "Not shown: code 10010 (code:10010)" in page
    assert "<script" not in page
    assert " style=" not in page
    assert page.index("Not shown: code 10010") < page.index("&lt;script&gt;")
    assert page.index("not-there") < page.index("Hikers")
    assert "<b>3</b> calls received" in page
    assert "<b>1</b> notices shown" in page
    for name in FAULTS:
        assert page.count(f"<th>{pattern(name)}</th>") == 1
    assert ask(server, target="/style.css")[2].startswith("/*")
    assert ask(server, target="/other")[0] == 404


def test_messages_in_their_present_state(server):
    server.add_group("g", "Public", members=["anna"])
    server.add_group("live", "AVChatRoom")
    server.stopping.set()
    sent = [
        {
            "From_Account": "announcements",
            "GroupAtInfo": [{"GroupAtAllFlag": 1}],
            "OfflinePushInfo": {"Title": "Hikers", "Desc": "<Tonight>"},
        },
        {"MsgBody": [text_element("<map>"), IMAGE]},
        {"MsgBody": [CUSTOM], "OfflinePushInfo": {"PushFlag": 1}},
        {"OnlineOnlyFlag": 1, "From_Account": "anna"},
        {"From_Account": "ghost"},
    ]
    for number, fields in enumerate(sent):
        send_message(server, "g", Random=number, **fields)
    send_message(server, "g", Random=1, MsgBody=sent[1]["MsgBody"])
    send_message(server, "live", From_Account="announcements")
    body = [text_element("later")]
    ask_call(server, "modify_group_msg", GroupId="g", MsgSeq=1, MsgBody=body)
    ask_call(server, "group_msg_recall", GroupId="g", MsgSeqList=[{"MsgSeq": 2}])

    _status, _location, page = ask(server)

    assert "<b>0</b> notices shown" in page
    assert "<b>5</b> messages shown" in page
    assert "<b>2</b> not shown" in page
    assert "<b>1</b> taken back" in page
    assert "<b>1</b> corrections" in page
    assert "<b>announcements</b> · message 1" in page
    assert "<p><b>@all</b> later</p>" in page
    assert '<span class="state">corrected</span> was: Hi 你好' in page
    assert "push: Hikers: &lt;Tonight&gt;" in page
    assert "<p><del>&lt;map&gt;</del></p>" in page
    assert '<span class="state">taken back</span>' in page
    assert "image: https://a.example/1" in page
    assert "custom: {}" in page
    assert "<b>anna</b> · online members only" in page
    assert "Not shown: code 10019 " in page
    assert "Not shown: code 0 (repeat)" in page
    # The first and the second message; none of the others is pushed.
    assert page.count("push: ") == 2


def test_others_take_a_message_back_and_delete_one(server):
    server.add_group("g", "Public")
    for number in (1, 2, 3):
        send_message(server, "g", Random=number)

    def change(origin=server.url, **form):
        form = {"group_id": "g", "q": "g", **form}
        return ask(server, "POST", "/message", origin=origin, **form)

    assert 'name="recall" value="3" aria-label="Take message 3 back' in ask(server)[2]
    assert change(recall="1")[:2] == (303, "/?q=g")
    assert change(delete="2")[0] == 303
    for form in ({"recall": "1"}, {"delete": "9"}, {"recall": "x"}, {"group_id": "h"}):
        status, _location, text = change(**form)
        assert (status, "There is no such message any more." in text) == (400, True)
    assert change(origin="null", recall="3")[0] == 403
    assert [one.state for one in server.messages("g")] == [2, 1, 0]
    page = ask(server)[2]
    assert '<span class="state">taken back</span> by others' in page
    assert '<span class="state">deleted</span>' in page
    assert page.count('name="recall"') == page.count('name="delete"') == 1


def test_the_application_is_changed_on_the_page(server):
    def change(**form):
        return ask(server, "POST", "/application", origin=server.url, **form)

    form = {
        "edition": "trial",
        "repeats": "zero",
        "second_recall": "0",
        "callback": "refuse",
        "switched_off": "group_msg_recall:10041 send_broadcast_msg",
        "new_customer": "1",
    }

    assert change(**form)[:2] == (303, "/")
    assert server.application == Application(
        edition="trial",
        new_customer=True,
        repeats="zero",
        second_recall="0",
        callback="refuse",
        switched_off={"group_msg_recall": 10041, "send_broadcast_msg": 10026},
    )
    page = ask(server)[2]
    assert "trial edition; new customer; the app&#x27;s callback refuses" in page
    assert "a second recall is answered with RetCode 0" in page
    assert 'value="group_msg_recall:10041 send_broadcast_msg:10026"' in page
    assert change(**form | {"edition": "gold"})[0] == 400
    assert change(**form | {"switched_off": "group_msg_recall:b"})[0] == 400
    assert (
        "There is no call group_recall."
        in change(**form | {"switched_off": "group_recall"})[2]
    )
    assert ask(server, "POST", "/application", origin="null", **form)[0] == 403
    assert change(**form | {"second_recall": "5"})[0] == 400
    ordinary = {"edition": "flagship", "repeats": "old", "second_recall": "10032"}
    assert change(**ordinary)[0] == 303
    assert server.application == Application()


def test_a_search_finds_by_name_and_id_and_says_what_it_left_out(server):
    for number in range(MAX_WINDOWS + 5):
        server.add_group(f"@TGS#{number:03}", "Public", name=f"周末 Club {number:03}")

    everything, by_name, by_id, nothing = (
        ask(server, target="/?" + urlencode({"q": term}))[2]
        for term in ("", "周末 club 06", "TGS#007", "<nobody>")
    )

    assert everything.count("<section>") == MAX_WINDOWS
    assert "60 of 65 groups" in everything
    assert by_name.count("<section>") == 5
    assert by_id.count("<section>") == 1
    assert "No group matches." in nothing
    assert "&lt;nobody&gt;" in nothing


def test_a_fault_is_chosen_and_taken_away(server):
    server.add_group("g", "Public")

    def choose(**form):
        return ask(server, "POST", "/fault", origin=server.url, group_id="g", **form)

    assert choose(fault="code", numbers="10010", q="周末")[:2] == (
        303,
        "/?q=%E5%91%A8%E6%9C%AB",
    )
    assert server.groups["g"].fault == "code:10010"
    assert ">code:10010</span>" in ask(server)[2]
    assert choose(fault="drip", numbers="10010")[:2] == (303, "/")
    assert server.groups["g"].fault == "drip"
    assert choose(fault="", numbers="7")[0] == 303
    assert server.groups["g"].fault == ""
    assert choose(fault="code", numbers="10010", command="group_msg_recall")[0] == 303
    assert ">group_msg_recall=code:10010</span>" in ask(server)[2]
    assert "<b>1</b> groups with a fault" in ask(server)[2]
    assert choose(fault="", command="group_msg_recall")[0] == 303
    assert "<b>0</b> groups with a fault" in ask(server)[2]
    assert choose(fault="drip", command="get_group_info")[0] == 400


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"group_id": "g", "fault": "code"}, "“code” is no fault."),
        ({"group_id": "g", "fault": "<x>"}, "“&lt;x&gt;” is no fault."),
        ({"group_id": "other", "fault": "drip"}, "There is no such group here."),
        ({}, "There is no such group here."),
    ],
)
def test_a_choice_that_cannot_be(server, form, sentence):
    server.add_group("g", "Public")

    status, _location, page = ask(server, "POST", "/fault", origin=server.url, **form)

    assert (status, sentence in page) == (400, True)
    assert server.groups["g"].fault == ""


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, None),
        ("null", None),
        ("https://evil.example", None),
        ("http://evil.example", "evil.example"),
        ("http://127.0.0.1:1", None),
    ],
)
def test_other_sites_choose_nothing(server, origin, host):
    server.add_group("g", "Public")

    status, _location, _page = ask(
        server, "POST", "/fault", origin=origin, host=host, group_id="g", fault="drip"
    )

    assert status == 403
    assert server.groups["g"].fault == ""


def test_a_name_that_is_not_ours_sees_nothing(server):
    assert ask(server, host="evil.example")[0] == 403
    assert ask(server, host="localhost:9999")[0] == 200
    assert ask(server, host="[::1]:9999")[0] == 200
    assert sandbox_page.respond(server, "GET", "/", {}, b"").status == 403


def test_the_page_does_not_grow_with_the_journal(server):
    """Only the latest calls of the groups shown are read: the page stays small."""
    for number in range(3000):
        server.add_group(f"g{number}", "Public")
    for number in range(100_000):
        server.journal.add(
            JournalEntry(
                received_at=0.0,
                clock=0.0,
                group_id=f"g{number % 3000}",
                content="x" * 50,
                recipients=(),
                error_code=0,
                error_info="",
                fault="",
                shown=True,
            )
        )

    page = render(server, "")

    assert "<b>100,000</b> calls received" in page
    assert page.count('class="notice"') == MAX_WINDOWS * 20
    assert len(page) < 600_000
