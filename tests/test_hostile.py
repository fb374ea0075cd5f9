"""Hostile texts in every field that users or Tencent fill: shown and exported as text.

A page with a hostile text has the same elements and attributes as one with a plain
text, and shows the text. Exported files contain the text unchanged.
"""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from notifications import audit_log, permissions
from notifications.access.audit_events import ROLE_ADDED
from notifications.compose.audit_events import DRAFT_SAVED
from notifications.delivery.audit_events import LATE_ANSWER, PAUSED, RESOLVED
from notifications.models import (
    AuditEntry,
    ChatGroup,
    Delivery,
    Label,
    Notification,
    SavedAudience,
    Seal,
)
from tests.factories import (
    make_attempt,
    make_delivery,
    make_draft_version,
    make_group,
    make_notification,
    make_seal,
    make_user,
)
from tests.hostile import HOSTILE, PLAIN

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

every_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


@dataclass(frozen=True)
class Told:
    """A notification with the text in every text field."""

    notification: Notification
    group: ChatGroup
    failed: Delivery
    unconfirmed: Delivery
    seal: Seal


def tell(text: str) -> Told:
    number = Notification.objects.count()
    sender = make_user(username=f"sender.{number}", first_name=text[:150])
    group = make_group(name=text[:100])
    notification = make_notification(
        sender=sender,
        sender_name=text[:150],
        status="completed",
        content=text,
        note=text[:200],
        audience_count=1,
    )
    failed = make_delivery(notification, group, status="failed", error_info=text)
    make_attempt(failed, outcome="rejected", error_info=text, action_status=text)
    unconfirmed = make_delivery(notification, group, status="unconfirmed", portion=2)
    make_attempt(unconfirmed, outcome="unconfirmed", detail=text)
    for number in (1, 2):
        make_draft_version(
            notification_number=notification.pk,
            number=number,
            author=text[:150],
            content=text,
            note=text[:200],
            recipients=text,
            audience="saved",
            audience_values=[text],
        )
    seal = make_seal(notification)
    about = {"notification": notification.pk, "delivery": unconfirmed.pk}
    audit_log.write(PAUSED, text[:150], notification=notification.pk, note=text)
    audit_log.write(RESOLVED, text[:150], **about, note=text)
    audit_log.write(LATE_ANSWER, "worker 1", **about, error_code=10010, error_info=text)
    audit_log.write(ROLE_ADDED, text[:150], notification=notification.pk, role=text)
    AuditEntry.objects.create(
        action=DRAFT_SAVED.word,
        actor=sender.username,
        actor_name=text[:150],
        notification_number=notification.pk,
        detail={"note": text, "audience": text, "chosen": [text]},
    )
    return Told(notification, group, failed, unconfirmed, seal)


class Read(HTMLParser):
    """A page as a browser parses it: its elements and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag != "br":  # the admin's line breaks
            self.elements.append((tag, tuple(name for name, _value in attrs)))
        self.values += [value for _name, value in attrs if value]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def read(client, address: str) -> Read:
    return Read(client.get(address).content.decode())


PAGES = {
    "delivery": lambda told: f"/history/deliveries/{told.failed.pk}/",
    "not confirmed": lambda told: f"/history/deliveries/{told.unconfirmed.pk}/",
    "notification": lambda told: f"/sent/{told.notification.pk}/",
    "status": lambda told: f"/sent/{told.notification.pk}/status/",
    "deliveries": lambda told: (
        f"/history/deliveries/?notification={told.notification.pk}"
    ),
    "trail": lambda told: f"/history/actions/?notification={told.notification.pk}",
    "draft": lambda told: f"/history/drafts/{told.notification.pk}/",
    "group": lambda told: f"/notifications/chatgroup/{told.group.pk}/change/",
}
LISTS = ["/", "/history/", "/history/deliveries/", "/notifications/chatgroup/"]


@every_text
def test_pages_show_it_as_text(auditor, text):
    plain, told = tell(PLAIN), tell(text)

    for name, address in PAGES.items():
        page = read(auditor, address(told))
        assert page.elements == read(auditor, address(plain)).elements, name
        assert text[:100] in page.text or text[:100] in page.values, name


def test_a_name_turns_nothing_round_that_stands_beside_it(auditor):
    name = HOSTILE["right to left"]
    told = tell(name)

    page = auditor.get(f"/history/deliveries/{told.failed.pk}/").content.decode()

    assert f"<bdi>{name}</bdi> · Public ·" in page


def test_lists_show_all_of_them_as_text(auditor):
    for n in range(51):  # more than one page, so that the pager appears
        tell(f"{PLAIN} {n}")
    plain = {address: read(auditor, address).elements for address in LISTS}
    for text in HOSTILE.values():
        tell(text)
    ChatGroup.objects.filter(name__startswith=PLAIN).delete()

    for address in LISTS:
        page = read(auditor, address)
        assert set(page.elements) <= set(plain[address]), address
        shown = [text for text in HOSTILE.values() if text[:100] in page.text]
        assert shown, address
    assert len(shown) == len(HOSTILE)  # the groups, all on one page


def as_written(cell: str) -> str:
    """The text of a CSV cell, by the rule in the documents and on the history page."""
    return cell.removeprefix("'")


FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@every_text
def test_the_files_of_the_history_hold_it(auditor, text):
    told = tell(text)

    def download(file_format: str) -> str:
        fields = {"format": file_format, "status": "failed"}
        response = auditor.post("/history/deliveries/download/", fields)
        return b"".join(response.streaming_content).decode("utf-8-sig")

    (row,) = csv.DictReader(io.StringIO(download("csv"), newline=""))
    (line,) = download("jsonl").removesuffix("\n").split("\n")

    held = {
        "content": text,
        "note": text[:200],
        "sender": text[:150],
        "group_name": text[:100],
        "error_info": text,
    }
    found = json.loads(line)
    assert {name: found[name] for name in held} == held
    assert found["attempts"][0]["error_info"] == text
    assert not any(row[name].startswith(FORMULA) for name in row)
    assert {name: as_written(row[name]) for name in held} == held
    assert as_written(row["group_id"]) == told.group.group_id


@every_text
def test_the_files_of_the_trail_hold_it(auditor, text):
    told = tell(text)

    def download(file_format: str) -> str:
        number = told.notification.pk
        fields = {"format": file_format, "notification": number, "action": "paused"}
        response = auditor.post("/history/actions/download/", fields)
        return b"".join(response.streaming_content).decode("utf-8-sig")

    (row,) = csv.DictReader(io.StringIO(download("csv"), newline=""))
    (line,) = download("jsonl").removesuffix("\n").split("\n")

    found = json.loads(line)
    assert (found["actor"], found["detail"]) == (text[:150], {"note": text})
    assert not any(row[name].startswith(FORMULA) for name in row)
    assert as_written(row["actor"]) == text[:150]
    assert json.loads(row["detail"]) == {"note": text}


@every_text
def test_the_evidence_holds_it(auditor, text):
    def pages(told: Told) -> tuple[Read, str]:
        response = auditor.post(f"/sent/{told.notification.pk}/evidence/")
        packed = io.BytesIO(b"".join(response.streaming_content))
        with zipfile.ZipFile(packed) as bundle:
            files = {name.partition("/")[2]: name for name in bundle.namelist()}
            index = bundle.read(files["index.html"]).decode()
            return Read(index), bundle.read(files["record.jsonl"]).decode()

    plain, told = tell(PLAIN), tell(text)
    page, record = pages(told)

    assert page.elements == pages(plain)[0].elements
    # message, note, sender, group twice, Tencent's text, notes of the trail
    assert page.text.count(text[:100]) >= 6
    assert json.dumps(text, ensure_ascii=False)[1:-1] in record


@pytest.mark.parametrize(
    ("address", "room"), [("/groups/labels/", 50), ("/groups/audiences/", 80)]
)
def test_labels_and_audiences_show_it_as_text(log_in, address, room):
    client = log_in(make_user(superuser=True))

    def keep(text: str) -> None:
        Label.objects.create(name=text[:50])
        rule = {"labels": [text[:50]], "name_contains": text[:100]}
        SavedAudience.objects.create(name=text[:80], stored_rule=rule, changed_by="x")

    keep(PLAIN)
    plain = read(client, address)
    texts = list(HOSTILE.values())[:19]  # a page of audiences has twenty
    for text in texts:
        keep(text)

    page = read(client, address)

    assert set(page.elements) == set(plain.elements)
    assert [text for text in texts if text[:room] not in page.text] == []


class Data(HTMLParser):
    """The text of the script elements with JSON, by their ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._id = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        is_data = (tag, values.get("type")) == ("script", "application/json")
        self._id = values["id"] if is_data else ""

    def handle_endtag(self, _tag):
        self._id = ""

    def handle_data(self, data):
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data


@every_text
def test_a_page_passes_names_to_its_script_as_data(log_in, text):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    client = log_in(manager)

    def page_with(name: str) -> str:
        group = make_group(name=name[:100])
        draft = make_notification(
            sender=manager, audience="chosen", audience_values=[group.group_id]
        )
        page = client.get(f"/write/{draft.pk}/").content.decode()
        draft.delete()  # not in the list of drafts beside the next one
        return page

    plain, page = page_with(PLAIN), page_with(text)

    assert Read(page).elements == Read(plain).elements
    (group,) = json.loads(Data(page).texts["picked-groups"])["groups"]
    assert group["name"] == text[:100]
