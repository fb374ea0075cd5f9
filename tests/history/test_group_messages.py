"""Group messages on the pages of the history, in the lists, exports and evidence."""

import json
import zipfile
from io import BytesIO

import pytest

from notifications import permissions
from notifications.history.evidence.bundle import bundle
from notifications.history.search.facets import facets
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.queries import deliveries
from notifications.models import Delivery, Notification
from tests.factories import (
    make_archive,
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_query,
    make_seal,
    make_user,
)
from tests.history.evidence.test_bundle import run_program
from tests.management.running import run

pytestmark = pytest.mark.django_db

OPTIONS = '{"from_account": "service", "mention_all": true, "push_title": "通知"}'
NUMBER = "It is message 418 of the group, of 2026-03-02 17:30:00 Asia/Shanghai"


@pytest.fixture(autouse=True)
def _zone(settings):
    settings.TIME_ZONE = "Asia/Shanghai"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def answer(text: str) -> str:
    row = {
        "MsgSeq": 418,
        "MsgRandom": 7,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    }
    return json.dumps([{"ErrorCode": 0, "RspMsgList": [{"MsgSeq": 419}, row]}])


@pytest.fixture
def notification() -> Notification:
    return make_notification(
        status="completed", channel="group_message", message_options=OPTIONS
    )


@pytest.fixture
def altered(notification) -> Delivery:
    """Not confirmed, and found in the history with another text."""
    row = make_delivery(
        notification,
        make_group(name="Hikers"),
        status="accepted",
        reason="in_history",
        error_code=None,
        random=7,
        msg_seq=418,
        msg_time=1_772_443_800,
        is_altered=True,
    )
    make_attempt(row, outcome="unconfirmed")
    make_query(
        row, verdict="no_answer", error_code=60006, response="", detail="timeout"
    )
    make_query(
        row, verdict="present", response=answer("Other <b>"), asked_by="chen.jie"
    )
    return row


def page_of(client, row: Delivery) -> str:
    return client.get(f"/history/deliveries/{row.pk}/").content.decode()


def test_the_page_of_a_delivery_has_the_message_and_the_queries(auditor, altered):
    page = page_of(auditor, altered)

    assert "Group message" in page
    assert NUMBER in page
    assert "differs from what was sent" in page
    assert '<p class="message">Other &lt;b&gt;</p>' in page
    assert page.count(altered.notification.content) >= 2
    assert "send_group_msg" in page
    assert "&quot;Random&quot;: 7" in page
    assert "Queries to Tencent" in page
    assert "chen.jie" in page
    assert "The worker" in page
    assert "&quot;MsgRandom&quot;: 7" in page


@pytest.mark.parametrize("text", [5, None, ["a"], {"b": "c"}])
def test_a_text_of_another_type_in_the_history_is_not_shown(auditor, altered, text):
    response = answer("Other").replace('"Other"', json.dumps(text))
    make_query(altered, number=3, verdict="present", response=response)

    page = page_of(auditor, altered)

    assert "differs from what was sent" in page
    assert '<p class="message">Other' not in page


def test_a_message_without_a_number_has_no_request_yet(auditor, notification):
    row = make_delivery(notification, status="cancelled")

    page = page_of(auditor, row)

    assert "The number of the message is drawn with the first attempt." in page
    assert "Queries to Tencent" not in page


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": "failed", "reason": "not_in_history", "error_code": None},
         "Sending again is safe."),
        ({"status": "failed", "reason": "dropped", "error_code": 0, "drop_reason": "busy"},
         "dropped the message"),
        ({"status": "accepted", "reason": "repeated", "error_code": None},
         "was sent once more"),
        ({"status": "accepted"}, "Members who were offline can see it later"),
    ],
    ids=lambda value: value.get("reason", "") if isinstance(value, dict) else "",
)  # fmt: skip
def test_results_in_words(auditor, notification, values, sentence):
    row = make_delivery(notification, **{"error_info": ""} | values)

    assert sentence in page_of(auditor, row)


def test_the_page_of_a_notification_has_the_channel_and_its_options(auditor, altered):
    page = auditor.get(altered.notification.get_absolute_url()).content.decode()

    for text in ("Group message", "Sender account", "service", "通知", "@all"):
        assert text in page
    assert "Priority" not in page


@pytest.mark.parametrize("address", ["/", "/history/", "/history/deliveries/"])
def test_lists_name_the_channel(auditor, altered, address):
    assert "Group message" in auditor.get(address).content.decode()


@pytest.mark.parametrize("is_sealed", [False, True])
def test_lists_filter_by_channel(auditor, altered, is_sealed):
    other = make_delivery(make_notification(status="completed"), status="accepted")
    if is_sealed:
        make_seal(altered.notification)
        make_seal(other.notification)
    for channel, row in (("group_message", altered), ("system_notification", other)):
        filters = DeliveryFilter(channel=channel)
        listing = deliveries(filters, facets().unsealed)
        assert [*listing.older(None, 9)] == [row]
        assert listing.count().number == 1
        groups = DeliveryFilter(channel=channel, group_ids=[row.group_id])
        assert [*deliveries(groups, facets().unsealed).older(None, 9)] == [row]
        assert [*deliveries(groups, facets().unsealed, few=0).older(None, 9)] == [row]
        page = auditor.get(f"/history/?channel={channel}").content.decode()
        assert row.notification.get_absolute_url() in page
        code, out, _err = run(
            "export_history", "--format", "jsonl", "--channel", channel
        )
        assert [json.loads(line)["delivery"] for line in out.splitlines()] == [row.pk]
        assert code == 0


def test_an_archived_notification_is_found_by_its_channel(auditor, notification):
    make_seal(notification)
    make_archive(notification)

    page = auditor.get("/history/?channel=group_message").content.decode()

    assert notification.get_absolute_url() in page


@pytest.mark.parametrize("reason", ["in_history", "dropped", "not_in_history"])
def test_rare_results_are_exported(notification, reason):
    """Read by index when few of many deliveries match."""
    others = [make_delivery(notification, status="accepted") for _n in range(12)]
    values = {
        "in_history": {"status": "accepted", "error_code": None},
        "dropped": {"status": "failed", "error_code": 0},
        "not_in_history": {"status": "failed", "error_code": None},
    }[reason]
    first = make_delivery(notification, reason=reason, **values)
    more = [make_delivery(notification, status="accepted") for _n in range(12)]
    last = make_delivery(notification, reason=reason, **values)
    make_seal(notification)

    _code, out, _err = run("export_history", "--format", "jsonl", "--reason", reason)

    exported = [json.loads(line)["delivery"] for line in out.splitlines()]
    assert exported == [first.pk, last.pk]
    assert len(others + more) == 24


def test_the_export_has_the_message_and_the_queries(altered, django_assert_num_queries):
    make_delivery(make_notification(status="completed"), status="accepted")

    _code, out, _err = run("export_history", "--format", "jsonl")

    message, other = (json.loads(line) for line in out.splitlines())
    assert message["channel"] == "group_message"
    assert message["from_account"] == "service"
    assert (message["random"], message["msg_seq"]) == (7, 418)
    assert message["msg_time"] == "2026-03-02T17:30:00+08:00"
    assert message["is_altered"] is True
    assert [query["verdict"] for query in message["queries"]] == [
        "no_answer",
        "present",
    ]
    assert message["queries"][1]["response"] == answer("Other <b>")
    assert message["queries"][1]["started_at"] == "2026-03-02T17:32:00+08:00"
    assert other["channel"] == "system_notification"
    assert (other["random"], other["msg_time"], other["queries"]) == (None, None, [])


def test_the_evidence_names_the_message_as_tencent_knows_it(altered, tmp_path):
    notification = altered.notification
    seal = make_seal(notification)
    data = b"".join(piece for piece, _rows in bundle(notification, seal))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()

    page = (folder / "index.html").read_text("utf-8")
    assert NUMBER in page
    assert "Group message" in page
    assert "&quot;MsgRandom&quot;: 7" in page
    assert "Other &lt;b&gt;" in page
    first, *lines = map(json.loads, (folder / "record.jsonl").read_bytes().splitlines())
    queries = [line for line in lines if line[0] == "query"]
    place = 1 + first["query"].index("response")
    assert [line[place] for line in queries] == ["", answer("Other <b>")]
    last_line = 'print(row["group_id"], row["msg_seq"], row["msg_time"])\''
    assert run_program(folder, last_line) == (
        0,
        f"{altered.group_id} 418 1772443800\n",
    )


def test_the_evidence_of_a_system_notification_names_no_numbers(tmp_path):
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")
    seal = make_seal(notification)
    data = b"".join(piece for piece, _rows in bundle(notification, seal))

    with zipfile.ZipFile(BytesIO(data)) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("VERIFY.txt"))
        assert "MsgSeq" not in archive.read(name).decode()
