"""``recall_notification`` and ``correct_notification``."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from notifications import permissions
from notifications.amendments.messages import LeftOut
from notifications.amendments.presentation import LABELS
from notifications.delivery import controls
from notifications.management.base import wait_for_end
from notifications.models import AuditEntry, Delivery, Notification
from notifications.sandbox.messages import State
from notifications.sandbox.server import SandboxServer
from tests.amendments.conftest import GROUPS, make_sending, work
from tests.factories import make_delivery, make_group, make_notification, make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db(transaction=True)

S = Delivery.Status


@pytest.fixture(autouse=True)
def _people(settings, tmp_path) -> None:
    settings.STATE_DIR = tmp_path
    make_user(permissions.COMMUNITY_MANAGER)
    make_user(permissions.AUDITOR, username="wang.fang")
    make_user(permissions.COMMUNITY_MANAGER, username="gone", is_active=False)


@pytest.fixture
def sent(sandbox: SandboxServer) -> Notification:
    notification = make_sending(sandbox)
    work()
    notification.refresh_from_db()
    return notification


def recall(number: object, *words: str, by: str = "lin.mei") -> tuple[int, str, str]:
    reason = () if "--reason" in words else ("--reason", "wrong date")
    return run("recall_notification", str(number), "--as", by, *reason, *words)


def correct(number: object, *words: str, by: str = "lin.mei") -> tuple[int, str, str]:
    content = () if "--content" in words else ("--content", "Tomorrow at 23:00.")
    return run("correct_notification", str(number), "--as", by, *content, *words)


def amendments() -> Iterator[Notification]:
    return Notification.objects.filter(amends__isnull=False).order_by("pk").iterator()


def texts(sandbox: SandboxServer) -> dict[str, list[str]]:
    """What members of each group see."""
    return {
        group_id: [
            message.text
            for message in sandbox.store.of_group(group_id)
            if message.state is State.THERE
        ]
        for group_id in GROUPS
    }


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Run ``action`` a moment later, in another thread."""

    def act() -> None:
        try:
            action()
        finally:
            connection.close()

    thread = threading.Timer(0.3, act)
    thread.start()
    yield
    thread.join()


def test_recalled_from_every_group(sent, sandbox):
    with meanwhile(work):
        code, out, error = recall(sent.pk, "--wait")

    (run_of_it,) = amendments()
    assert out == (
        f"notification={run_of_it.pk} groups=3 left_out=0\n"
        "recalled=3 failed=0 unconfirmed=0 cancelled=0\n"
    )
    assert (code, error) == (
        0,
        "No worker is running: the command waits until one is started.\n",
    )
    assert texts(sandbox) == {group_id: [] for group_id in GROUPS}
    assert (run_of_it.content, run_of_it.sender_name) == ("wrong date", "lin.mei")
    entry = AuditEntry.objects.get(action="recalled")
    assert (entry.actor, entry.request_number is None) == ("lin.mei", False)


def test_corrected_in_every_group_that_keeps_a_history(sent, sandbox):
    with meanwhile(work):
        code, out, error = correct(sent.pk, "--note", "typo", "--wait")

    (run_of_it,) = amendments()
    assert code == 0
    assert out == (
        f"notification={run_of_it.pk} groups=2 left_out=1\n"
        "corrected=2 failed=0 unconfirmed=0 cancelled=0\n"
    )
    assert error.startswith("Left out: 1 · a live room")
    new = ["Tomorrow at 23:00."]
    assert texts(sandbox) == {"plaza": new, "hikers": new, "live": [sent.content]}
    assert run_of_it.note == "typo"


def test_without_wait_the_run_is_queued(sent):
    code, out, error = recall(sent.pk, "--oldest-first")

    (run_of_it,) = amendments()
    assert (code, out, error) == (
        0,
        f"notification={run_of_it.pk} groups=3 left_out=0\n",
        "",
    )
    rows = run_of_it.deliveries.order_by("not_before", "pk")
    oldest_first = sent.deliveries.order_by("pk").values_list("pk", flat=True)
    assert list(rows.values_list("amended_delivery", flat=True)) == list(oldest_first)


def test_a_part(sent, sandbox):
    assert (
        recall(sent.pk, "--type", "Public", "Private", "--group", "plaza", "live")[0]
        == 0
    )
    work()

    text = [sent.content]
    assert texts(sandbox) == {"plaza": [], "hikers": text, "live": text}


def test_a_refusal_by_tencent_is_a_failure(sent, sandbox):
    row = sent.deliveries.get(group_id="live")
    sandbox.store.recall("live", row.msg_seq)  # by another program

    with meanwhile(work):
        code, out, error = recall(sent.pk, "--wait")

    assert code == 1
    assert out.endswith("recalled=2 failed=1 unconfirmed=0 cancelled=0\n")
    assert error.endswith("Not all were recalled.")


def test_a_stopped_run_is_a_failure(sent):
    def stop() -> None:
        (run_of_it,) = amendments()
        controls.stop(sent.sender, run_of_it.pk)

    with meanwhile(stop):
        code, out, error = recall(sent.pk, "--wait")

    assert code == 1
    assert out.endswith("recalled=0 failed=0 unconfirmed=0 cancelled=3\n")
    assert error.endswith("Not all were recalled.")


def test_the_end_is_when_no_query_is_open(sent):
    """A message that no group has is no failure."""
    recall(sent.pk)
    (run_of_it,) = amendments()
    rows = run_of_it.deliveries
    common = {"attempt_count": 1, "msg_seq": 1, "finished_at": timezone.now()}
    rows.filter(group_id="plaza").update(
        status=S.UNCONFIRMED, reason="no_answer", next_query_at=timezone.now(), **common
    )
    rows.filter(group_id="live").update(status=S.ACCEPTED, error_code=0, **common)
    rows.filter(group_id="hikers").update(
        status=S.CANCELLED, finished_at=timezone.now()
    )
    run_of_it.complete()

    def settle() -> None:
        rows.filter(group_id="plaza").update(
            status=S.ACCEPTED, reason="in_history", next_query_at=None
        )

    out = io.StringIO()
    with meanwhile(settle):
        wait_for_end(run_of_it, out, accepted="recalled")

    assert out.getvalue() == "recalled=2 failed=0 unconfirmed=0 cancelled=1"


def test_while_it_is_being_sent(sandbox):
    sent = make_sending(sandbox)
    Delivery.objects.filter(group_id="plaza").update(
        status=S.ACCEPTED, msg_seq=41, random=7, error_code=0, attempt_count=1,
        finished_at=sent.created_at,
    )  # fmt: skip

    code, out, error = recall(sent.pk)

    (run_of_it,) = amendments()
    assert (code, out) == (0, f"notification={run_of_it.pk} groups=1 left_out=2\n")
    assert error.splitlines() == [
        f"Notification {sent.pk} was still being sent: stopped.",
        f"Left out: 2 · {LABELS[LeftOut.NOT_SENT]}.",
    ]


def test_before_any_group_got_it(sandbox):
    sent = make_sending(sandbox)

    code, out, error = recall(sent.pk, "--wait")

    assert (code, out) == (0, f"stopped={sent.pk} groups=0 left_out=3\n")
    assert error == f"Notification {sent.pk} was stopped before any group got it.\n"
    assert list(amendments()) == []


def test_stopped_but_not_known_whether_a_group_got_it(sandbox):
    sent = make_sending(sandbox)
    Delivery.objects.filter(group_id="live").update(
        status=S.UNCONFIRMED, reason="no_answer", random=7, attempt_count=1,
        finished_at=sent.created_at,
    )  # fmt: skip

    code, out, error = recall(sent.pk)

    assert (code, out) == (0, f"stopped={sent.pk} groups=0 left_out=3\n")
    assert "was stopped. Nothing can be taken back: 2 · " in error
    assert f"1 · {LABELS[LeftOut.NOT_KNOWN]}" in error


@pytest.mark.parametrize("command", [recall, correct])
@pytest.mark.parametrize(
    ("words", "by", "part"),
    [
        ("", "wang.fang", "Your login may not do this."),
        ("", "gone", "There is no active user “gone”."),
        ("--group nowhere", "lin.mei", "nowhere|No group of this notification"),
        ("--type Pubic", "lin.mei", "Pubic|No group of this notification"),
        ("--label Nord", "lin.mei", "Nord|No group of this notification"),
    ],
)
def test_refused(sent, command, words, by, part):
    code, out, error = command(sent.pk, *words.split(), by=by)

    assert (code, out) == (2, "")
    assert any(one in error for one in part.split("|"))
    assert list(amendments()) == []


@pytest.mark.parametrize("command", [recall, correct])
@pytest.mark.parametrize("name", ["--group", "--type", "--label"])
def test_a_surrogate_in_an_argument(sent, command, name):
    """An argument that is not UTF-8."""
    code, out, _error = command(sent.pk, name, "a\udcff")

    assert (code, out) == (2, "")


@pytest.mark.parametrize("command", [recall, correct])
def test_numbers_that_are_refused(command):
    draft = make_notification()
    system_notification = make_notification(status="completed")
    make_delivery(system_notification, make_group(), status="accepted")

    for number, sentence in [
        (draft.pk, f"Notification {draft.pk} is a draft: no group has got it."),
        (987, "There is no notification 987."),
        (10**30, f"There is no notification {10**30}."),
        (-1, "There is no notification -1."),
        (
            system_notification.pk,
            "A system notification cannot be taken back or corrected: Tencent keeps no "
            "trace of it.",
        ),
    ]:
        assert command(number) == (2, "", sentence)


def test_texts_that_are_refused(sent):
    for words in (["--reason", "错" * 34], ["--reason", " "], ["--reason", "a\0b"]):
        code, _out, error = recall(sent.pk, *words)
        assert code == 2
        assert "reason" in error
    code, _out, error = correct(sent.pk, "--content", " ")
    assert code == 2
    assert list(amendments()) == []


def test_the_second_recall_has_nothing_left(sent):
    recall(sent.pk)

    code, _out, error = recall(sent.pk)
    assert (code, "3 · being taken back already" in error) == (2, True)
    code, _out, error = correct(sent.pk)
    assert (code, "is still running" in error) == (2, True)

    work()
    code, _out, error = recall(sent.pk)
    assert (code, "3 · taken back already" in error) == (2, True)
    (run_of_it,) = amendments()
    assert "itself. Open" in recall(run_of_it.pk)[2]
