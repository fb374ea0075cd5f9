"""The progress that all who ask within a second share, and what is never shared."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import permissions
from notifications.delivery import controls, shared_progress
from notifications.delivery.progress import progress_of
from notifications.delivery.shared_progress import SHARED, SharedProgress
from notifications.delivery.waiting import facts_of
from notifications.models import Delivery, Notification, SendingSwitch
from tests.factories import make_delivery, make_notification, make_user

# What every request reads itself: session, person, notification, rights, switch.
OWN_QUERIES = 5
SHARED_QUERIES = 3
CODES = (10002, 10004, 10007, 10010, 10015, 10016, 20012, 60007, 60008, 80002)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(SHARED, "_clock", clock)
    return clock


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def sent(manager) -> Notification:
    sent = make_notification(
        sender=manager,
        status="sending",
        watched_since=timezone.now() - timedelta(seconds=5),
    )
    for code in CODES:
        make_delivery(sent, status="failed", error_code=code)
    make_delivery(sent, status="unconfirmed")
    make_delivery(sent, status="accepted")
    make_delivery(sent)
    SendingSwitch.objects.create(pk=1)
    return sent


@pytest.mark.django_db
def test_the_queries_of_a_poll(manager, sent, clock, log_in, django_assert_num_queries):
    """The number does not depend on the kinds of problems."""
    client, address = log_in(manager), f"/sent/{sent.pk}/status/"

    with django_assert_num_queries(OWN_QUERIES + SHARED_QUERIES):
        first = client.get(address)
    make_delivery(sent, status="accepted")
    with django_assert_num_queries(OWN_QUERIES):
        shared = client.get(address)
    clock.seconds += 1
    with django_assert_num_queries(OWN_QUERIES + SHARED_QUERIES):
        later = client.get(address)

    assert first.context["headline"] == "Sending: 12 of 13 groups done"
    assert shared.context["headline"] == first.context["headline"]
    assert later.context["headline"] == "Sending: 13 of 14 groups done"


@pytest.mark.django_db
def test_a_colleague_gets_the_same_answer_with_his_own_controls(
    manager, sent, clock, log_in
):
    auditor = make_user(permissions.AUDITOR, username="wang.fang")
    address = f"/sent/{sent.pk}/status/"
    own = log_in(manager).get(address)
    client = log_in(auditor)

    with CaptureQueriesContext(connection) as queries:
        other = client.get(address)

    assert not any("notifications_delivery" in query["sql"] for query in queries)
    assert other.context["headline"] == own.context["headline"]
    assert b"Stop now" in own.content
    assert b"Stop now" not in other.content


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, permissions.SYSTEM_ADMINISTRATOR])
def test_it_is_never_given_to_a_person_without_the_permission(
    role, manager, sent, clock, log_in
):
    address = f"/sent/{sent.pk}/status/"
    assert log_in(manager).get(address).status_code == 200
    stranger = make_user(role, username="j.okafor")

    refused = log_in(stranger).get(address)

    assert refused.status_code == 403
    assert b"groups done" not in refused.content


@pytest.mark.django_db
def test_a_right_that_is_taken_away_ends_it_at_once(manager, sent, clock, log_in):
    client, address = log_in(manager), f"/sent/{sent.pk}/status/"
    assert client.get(address).status_code == 200

    manager.groups.clear()

    assert client.get(address).status_code == 403


@pytest.mark.django_db
def test_what_a_person_pressed_shows_at_once(manager, sent, clock, log_in):
    client, address = log_in(manager), f"/sent/{sent.pk}/status/"
    assert client.get(address).context["headline"] == "Sending: 12 of 13 groups done"

    # Also by a process that did not serve the click.
    controls.pause(manager, sent.pk)
    assert client.get(address).context["headline"] == "Paused: 12 of 13 groups done"
    controls.resume(manager, sent.pk)
    assert client.get(address).context["headline"] == "Sending: 12 of 13 groups done"
    controls.set_sending_switch(manager, is_off=True)
    assert b"all sending is stopped" in client.get(address).content
    controls.stop(manager, sent.pk)
    assert client.get(address).context["headline"] == (
        "Stopped: Tencent accepted it for 1 of 13 groups; 1 were not called."
    )


@pytest.mark.django_db
def test_a_page_is_never_older_than_the_click_before_it(manager, sent, clock, log_in):
    client, url = log_in(manager), f"/sent/{sent.pk}/"
    client.get(f"{url}status/")
    make_delivery(sent, status="accepted")

    page = client.get(url)

    assert page.context["headline"] == "Sending: 13 of 14 groups done"
    # And what the page asks for next is not older than the page.
    again = client.get(f"{url}status/")
    assert again.context["headline"] == page.context["headline"]


@pytest.mark.django_db
def test_of_many_who_ask_at_once_one_computes(sent, monkeypatch):
    asked, computed, go_on = threading.Semaphore(0), [], threading.Event()
    progress, facts = progress_of(sent), facts_of(sent, timezone.now())

    def compute(notification: Notification):
        computed.append(notification.pk)
        go_on.wait(60)
        return progress

    monkeypatch.setattr(shared_progress, "progress_of", compute)
    monkeypatch.setattr(shared_progress, "facts_of", lambda *_: facts)
    shared = SharedProgress(Clock())

    def ask():
        asked.release()
        return shared.get(sent)

    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(ask) for _n in range(50)]
        for _n in range(50):
            asked.acquire()
        go_on.set()
        (answer,) = {id(answer.result()) for answer in answers}

    assert answer
    assert computed == [sent.pk]


@pytest.mark.django_db
def test_an_answer_that_failed_is_not_kept(sent, monkeypatch):
    def fail(_notification):
        raise RuntimeError

    shared = SharedProgress(Clock())
    with monkeypatch.context() as broken:
        broken.setattr(shared_progress, "progress_of", fail)
        with pytest.raises(RuntimeError):
            shared.get(sent)

    assert shared.get(sent).progress.total == 13


@pytest.mark.django_db
def test_old_answers_are_dropped(sent):
    clock = Clock()
    shared = SharedProgress(clock)
    shared.get(sent)
    clock.seconds += 1

    shared.get(make_notification(status="completed"))

    assert sent.pk not in shared._slots


@pytest.mark.django_db
def test_the_first_twenty_groups_of_each_kind(sent):
    for _n in range(25):
        for code in (10010, 60007):
            make_delivery(sent, status="failed", error_code=code)

    problems = {
        problem.explanation.mark: problem
        for problem in progress_of(sent).problems
        if problem.count == 26
    }

    for code in ("10010", "60007"):
        rows = Delivery.objects.filter(error_code=int(code)).order_by("id")[:20]
        assert problems[code].groups == [[row] for row in rows]
