"""The contents of the evidence bundle, and its verification."""

import hashlib
import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.utils import timezone, translation

from notifications import audit_log, permissions
from notifications.compose.audit_events import SENT
from notifications.compose.checked import checked_of
from notifications.compose.services.drafts import Draft, save_draft
from notifications.compose.services.send import send
from notifications.delivery.audit_events import RESOLVED
from notifications.history.evidence.bundle import bundle, bundle_name
from notifications.history.evidence.page import EvidencePage
from notifications.models import Delivery, Notification
from notifications.record.canonical_text import canonical_text
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

FILES = [
    "record.jsonl",
    "seal.json",
    "chain.jsonl",
    "actions.jsonl",
    "drafts.jsonl",
    "index.html",
    "VERIFY.txt",
    "SHA256SUMS",
]
HOSTILE = "<script>alert(1)</script>\u202e=1+1"


@pytest.fixture
def sent() -> Notification:
    """One delivery of each result, with hostile texts in all free-text fields."""
    notification = make_notification(
        status="completed", content=HOSTILE, note=HOSTILE, audience_count=3
    )
    accepted = make_delivery(notification, status="accepted")
    make_attempt(accepted)
    failed = make_delivery(
        notification,
        make_group(name=HOSTILE),
        status="failed",
        error_info=HOSTILE,
    )
    make_attempt(failed, outcome="rejected", error_info=HOSTILE)
    doubt = make_delivery(notification, status="unconfirmed")
    make_attempt(doubt, outcome="unconfirmed")
    audit_log.write(SENT, "lin.mei", notification=notification.pk, groups=3)
    audit_log.write(
        RESOLVED,
        "lin.mei",
        notification=notification.pk,
        delivery=doubt.pk,
        note=HOSTILE,
    )
    return notification


def seal_another() -> None:
    other = make_notification(status="completed")
    make_delivery(other, status="accepted")
    make_seal(other)


def zip_of(notification: Notification) -> bytes:
    return b"".join(piece for piece, _rows in bundle(notification, notification.seal))


def unpack(data: bytes, to: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(to)
    (folder,) = to.iterdir()
    return folder


def run(folder: Path, *command: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603  the commands of these tests
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_files_and_their_name(sent, tmp_path):
    seal_another()
    seal = make_seal(sent)

    folder = unpack(zip_of(sent), tmp_path)

    assert bundle_name(seal) == f"evidence-{sent.pk}-{seal.head[:12]}"
    assert folder.name == f"evidence-{sent.pk}-{seal.head[:12]}"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert (folder / "record.jsonl").read_bytes() == b"".join(canonical_text(sent))


def test_the_commands_in_verify_txt_work(sent, tmp_path):
    seal = make_seal(sent)
    seal_another()
    seal_another()
    newest = Notification.objects.order_by("-pk")[0].seal

    folder = unpack(zip_of(sent), tmp_path)

    code, said = run(folder, "sha256sum", "-c", "SHA256SUMS")
    assert (code, said) == (0, "".join(f"{name}: OK\n" for name in FILES[:-1]))
    assert run(folder, "sha256sum", "record.jsonl")[1].split()[0] == seal.digest
    assert run(folder, "sha256sum", "seal.json")[1].split()[0] == seal.head
    assert json.loads((folder / "seal.json").read_bytes())["digest"] == seal.digest
    assert len((folder / "chain.jsonl").read_bytes().splitlines()) == 2
    assert run_of_the_chain(folder) == (0, newest.head + "\n")
    text = (folder / "VERIFY.txt").read_text("utf-8")
    for expected in (seal.digest, seal.head, newest.head):
        assert f"    {expected}\n" in text


def run_of_the_chain(folder: Path) -> tuple[int, str]:
    return run_program(folder, "print(head(line))'")


def run_program(folder: Path, last_line: str) -> tuple[int, str]:
    """Run the program in VERIFY.txt that ends so verbatim in a shell."""
    text = (folder / "VERIFY.txt").read_text("utf-8")
    end = text.index(last_line) + len(last_line)
    begin = text.rindex("    python3 -c", 0, end)
    lines = [line.removeprefix("    ") for line in text[begin:end].splitlines()]
    program = "\n".join(lines).replace("python3", sys.executable)
    return run(folder, "sh", "-c", program)


def test_the_versions_of_the_draft_are_verified(tmp_path):
    user = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    draft = save_draft(user, Draft(HOSTILE, "every"))
    draft = save_draft(user, Draft("Two", "every", version=1), notification_id=draft.pk)
    sent = send(user, draft.pk, digest=checked_of(user, draft).digest())
    sent.deliveries.update(status="cancelled", finished_at=MOMENT)
    sent.cancel(Notification.StopReason.PERSON)
    make_seal(sent)

    folder = unpack(zip_of(sent), tmp_path)

    page = Tags((folder / "index.html").read_text("utf-8"))
    assert "Version 1" in page.text
    assert HOSTILE in page.text
    assert "script" not in page.tags
    file = folder / "drafts.jsonl"
    lines = [json.loads(line)["draft"] for line in file.read_bytes().splitlines()]
    assert [line["content"] for line in lines] == [HOSTILE, "Two"]
    last_line = 'print("all versions are in the audit trail")\''
    whole = "all versions are in the audit trail\n"
    assert run_program(folder, last_line) == (0, whole)
    file.write_text(file.read_text("utf-8").replace("Two", "Three"), "utf-8")
    assert run_program(folder, last_line)[0] == 1


def test_recalls_and_corrections_are_in_the_evidence_of_what_they_change(tmp_path):
    sent = make_notification(status="completed", channel="group_message")
    make_delivery(sent, make_group(name="Hikers"), status="accepted", msg_seq=418)
    make_seal(sent)
    correction = make_ended_amendment(sent, "correction")
    recall = make_ended_amendment(sent, status="failed", error_code=10010)
    seals = [make_seal(run) for run in (correction, recall)]
    unsealed = make_ended_amendment(sent, "correction", status="unconfirmed")

    folder = unpack(zip_of(sent), tmp_path)

    for run_, seal in zip((correction, recall), seals, strict=True):
        name = f"{run_.channel}-{run_.pk}"
        record = (folder / f"{name}-record.jsonl").read_bytes()
        assert record == b"".join(canonical_text(run_))
        line = (folder / f"{name}-seal.json").read_bytes()
        assert hashlib.sha256(line).hexdigest() == seal.head
    assert not list(folder.glob(f"*-{unsealed.pk}-*"))
    last_line = "line in chain)'"
    expected = "".join(
        f"{one.channel}-{one.pk}-seal.json {seal.head} True\n"
        for one, seal in zip((correction, recall), seals, strict=True)
    )
    assert run_program(folder, last_line) == (0, expected)
    actions = (folder / "actions.jsonl").read_bytes().splitlines()
    numbers = {json.loads(line)["notification"] for line in actions}
    assert numbers == {sent.pk, correction.pk, recall.pk}
    text = Tags((folder / "index.html").read_text("utf-8")).text
    for words in (
        f"Correction {correction.pk}",
        f"Recall {recall.pk}",
        correction.content,
        "wrong date",
        "Corrected",
        "Could not be taken back: This group no longer exists.",
        "It is not confirmed whether it was corrected.",
        "Not sealed yet",
    ):
        assert words in text
    changed = folder / f"recall-{recall.pk}-record.jsonl"
    changed.write_bytes(changed.read_bytes().replace(b"wrong date", b"wrong text"))
    assert run_program(folder, last_line)[0] == 1


def test_the_evidence_of_a_recall_says_what_it_changes(tmp_path):
    sent = make_notification(status="completed", channel="group_message")
    make_delivery(sent, status="accepted", msg_seq=418)
    recall = make_ended_amendment(sent, "correction")
    make_seal(recall)

    folder = unpack(zip_of(recall), tmp_path)

    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    text = Tags((folder / "index.html").read_text("utf-8")).text
    for words in (f"Notification {sent.pk}", sent.content, recall.content, "Corrected"):
        assert words in text


@pytest.mark.parametrize("name", ["record.jsonl", "seal.json", "index.html"])
def test_a_changed_file_is_found(sent, tmp_path, name):
    make_seal(sent)
    folder = unpack(zip_of(sent), tmp_path)
    path = folder / name
    path.write_bytes(
        path.read_bytes().replace(b"lin.mei", b"lin.mai").replace(b"1", b"2")
    )

    code, said = run(folder, "sha256sum", "-c", "SHA256SUMS")

    assert code == 1
    assert f"{name}: FAILED\n" in said


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_chain_that_was_tampered_with_is_found(sent, tmp_path, change):
    make_seal(sent)
    for _n in range(3):
        seal_another()
    folder = unpack(zip_of(sent), tmp_path)
    path = folder / "chain.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "removed":
        del lines[1]
    else:
        lines[1] = lines[1].replace(b'"rows":1', b'"rows":2')
    path.write_bytes(b"".join(lines))

    assert run_of_the_chain(folder)[0] == 1


def test_the_newest_seal_has_an_empty_chain(sent, tmp_path):
    seal = make_seal(sent)

    folder = unpack(zip_of(sent), tmp_path)

    assert (folder / "chain.jsonl").read_bytes() == b""
    assert run_of_the_chain(folder) == (0, seal.head + "\n")


def test_more_seals_than_are_read_at_once(sent, tmp_path):
    make_seal(sent)
    for _n in range(23):
        seal_another()

    folder = unpack(zip_of(sent), tmp_path)

    newest = Notification.objects.order_by("-pk")[0].seal
    assert len((folder / "chain.jsonl").read_bytes().splitlines()) == 23
    assert run_of_the_chain(folder) == (0, newest.head + "\n")


def test_the_actions_in_their_order_and_of_this_notification_only(sent, tmp_path):
    make_seal(sent)
    audit_log.write(SENT, "lin.mei", notification=sent.pk + 1)

    folder = unpack(zip_of(sent), tmp_path)

    lines = (folder / "actions.jsonl").read_text("utf-8").splitlines()
    actions = [json.loads(line) for line in lines]
    assert [(a["action"], a["notification"]) for a in actions] == [
        ("sent", sent.pk),
        ("resolved", sent.pk),
    ]
    assert actions[1]["detail"] == {"note": HOSTILE}


def test_the_same_record_gives_the_same_bytes(sent):
    make_seal(sent)

    assert zip_of(sent) == zip_of(sent)


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data):
        self.text += data


def test_the_page_is_harmless_and_needs_no_network(sent, tmp_path):
    make_seal(sent)

    folder = unpack(zip_of(sent), tmp_path)

    page = Tags((folder / "index.html").read_text("utf-8"))
    assert not {"script", "img", "link", "a", "iframe", "form"} & set(page.tags)
    assert not {"src", "href", "style", "onclick"} & page.attributes
    # message, note, group, Tencent's text, the words of who cleared it up
    assert page.text.count(HOSTILE) == 5


def test_the_page_shows_problems_first_and_only_so_many_others(sent):
    rows = [make_delivery(sent, status="accepted") for _n in range(3)]
    rows += [make_delivery(sent, status="failed") for _n in range(3)]
    seal = make_seal(sent)

    pieces = EvidencePage(sent, seal, seal, max_others=2, block_rows=2).html()

    page = b"".join(pieces).decode()
    shown = [int(cell) for cell in cells_of(page) if cell.isdigit()]
    in_order = list(sent.deliveries.order_by("pk"))
    problems = [r.pk for r in in_order if r.status in ("failed", "unconfirmed")]
    others = [r.pk for r in in_order if r.status == "accepted"]
    assert shown == [*problems, *others[:2]]
    assert len(problems) == 5


def cells_of(page: str) -> list[str]:
    """The first cell of each row of the tables of deliveries."""
    tables = page.split("<h2>Deliveries that failed")[1]
    return [row.split("</td>")[0].strip() for row in tables.split("<td>")[1::6]]


def test_the_page_names_excepted_and_left_out_groups():
    sent = make_notification(status="completed", audience="rule")
    make_delivery(sent, status="accepted")
    audit_log.write(
        SENT,
        "lin.mei",
        notification=sent.pk,
        deliveries=1,
        rule={"exceptions": ["vip"]},
        excepted=[{"group_id": "vip", "name": "VIP"}],
        left_out=[{"group_id": "off", "name": "Old", "reason": "switched_off"}],
        left_out_count=1,
    )
    seal = make_seal(sent)

    page = Tags(b"".join(EvidencePage(sent, seal, seal).html()).decode())

    words = " ".join(page.text.split())
    assert "1 group that the rule names as an exception VIP · vip" in words
    assert "1 group that did not get it Old · off · Switched off" in words
    assert "No group was left out" not in words


def test_in_the_language_and_time_zone_of_the_request(sent, tmp_path):
    make_seal(sent)
    with translation.override("zh-hans"), timezone.override("Asia/Shanghai"):
        pieces = bundle(sent, sent.seal)

    folder = unpack(
        b"".join(piece for piece, _rows in pieces), tmp_path
    )  # read later, in English and UTC

    page = (folder / "index.html").read_text("utf-8")
    assert '<html lang="zh-hans">' in page
    assert "2026-03-02 17:30:00 Asia/Shanghai" in page
    assert str(Delivery.Status.FAILED.label) == "Failed"
    assert "<td>失败</td>" in page


def test_memory_does_not_grow_with_the_rows():
    first, text = most_memory_for(1500)
    second, longer_text = most_memory_for(3500)

    assert longer_text - text > 1_000_000
    assert second - first < 200_000


def most_memory_for(deliveries: int) -> tuple[int, int]:
    """Peak memory of creating the bundle, and the length of its record, in bytes."""
    sent = make_notification(status="completed")
    group = make_group()
    Delivery.objects.bulk_create(
        Delivery(
            notification=sent,
            group_id=group.group_id,
            group_name=group.name,
            group_type=group.type,
            sender_name="lin.mei",
            portion=portion,
            status="accepted",
            error_code=0,
            attempt_count=1,
            created_at=MOMENT,
            finished_at=MOMENT,
            # No two alike, so that little of it can be compressed away.
            error_info=hashlib.sha512(str(portion).encode()).hexdigest() * 3,
        )
        for portion in range(1, deliveries + 1)
    )
    make_seal(sent)
    tracemalloc.start()
    try:
        for _piece in bundle(sent, sent.seal, max_others=10):
            pass
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return most, sum(map(len, canonical_text(sent)))
