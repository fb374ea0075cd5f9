"""The pages of the syncs: the list, one run with its changes, the buttons."""

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications import permissions
from notifications.groups.sync.queries import RUNS_WITH_CHANGES
from notifications.models import AuditEntry, GroupSync, SyncChange, SyncItem, Worker
from notifications.rate_limit.clock import engine_clock
from tests.factories import MOMENT, make_user
from tests.hostile import HOSTILE

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HOSTILE_TEXT = "<b onclick=x>"
LIST_QUERIES, RUN_QUERIES = 7, 8


@pytest.fixture
def client(log_in):
    return log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="li.na"))


@pytest.fixture
def _worker():
    clock = engine_clock()
    Worker.objects.create(
        name="w",
        boot_id=clock.boot_id,
        lease=clock.now(),
        heartbeat_at=timezone.now(),
    )


def ended(**kwargs) -> GroupSync:
    values = {
        "requested_by": "li.na",
        "status": "completed",
        "created_at": MOMENT,
        "started_at": MOMENT,
        "finished_at": MOMENT,
    }
    return GroupSync.objects.create(**values | kwargs)


def change(sync: GroupSync, kind: str, group_id: str = "g", **kwargs) -> SyncChange:
    return SyncChange.objects.create(sync=sync, kind=kind, group_id=group_id, **kwargs)


def text_of(client, name: str, *arguments, **query) -> str:
    response = client.get(reverse(f"admin:{name}", args=arguments), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- the list ----------------------------------------------------------------------


def test_without_a_run_the_button_is_there_and_what_it_does(client):
    page = text_of(client, "syncs")

    assert "No sync yet." in page
    assert "None is deleted." in page
    assert "Sync now</button>" in page


def test_runs_with_what_they_changed(client):
    first = ended(requested_by="schedule", members_updated=1234)
    change(first, "added", "a")
    change(first, "added", "b")
    change(first, "unknown_type", "b")
    ended(status="failed", error_code=60010, requested_by="wang")
    ended()

    page = text_of(client, "syncs")

    assert "2 added, 1 of an unknown type, 1,234 numbers of members updated" in page
    assert "by itself" in page
    assert "wang" in page
    assert ">Failed</span>" in page
    assert page.count("> nothing <") == 2
    assert "(UTC)" in page


@pytest.mark.usefixtures("_worker")
def test_the_open_run_is_shown_with_its_progress(client):
    sync = GroupSync.objects.create(
        requested_by="li.na", status="running", started_at=MOMENT
    )
    for number in range(3):
        SyncItem.objects.create(sync=sync, group_id=f"g{number}", is_done=number < 2)

    page = text_of(client, "syncs")

    assert "2 of 3 groups read." in page
    assert "The list is still being read; more may come." in page
    assert f'data-url="/groups/sync/{sync.pk}/status/"' in page
    assert "Stop the sync" in page
    assert "Sync now" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_for_any_number(
    client, count, django_assert_num_queries
):
    for _n in range(count):
        change(ended(), "added")

    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse("admin:syncs"))


# --- one run -----------------------------------------------------------------------


def test_every_change_in_words(client):
    sync = ended()
    change(sync, "added", "a", name="A", after={"name": "A", "type": "Private"})
    change(sync, "changed", "b", name="New", before={"name": "Old", "type": "ChatRoom"},
           after={"name": "New", "type": "AVChatRoom"})  # fmt: skip
    change(sync, "closed", "c", name="C")
    change(sync, "reopened", "d", before={"state": "closed"}, after={"state": "in_use"})
    change(sync, "unknown_type", "e", after={"type": "Topic"})
    change(sync, "not_read", "f", after={"code": 10007, "info": "no"})
    change(sync, "not_read", "h")

    page = text_of(client, "sync", sync.pk)

    for words in (
        "7 entries, newest first",
        "Private (Work)",
        "Name: Old → New; Type: Chat room (Meeting) → Live room",
        "The chat service says that this group no longer exists.",
        "State: Closed → In use",
        "“Topic” is a type that this console does not know. The group is kept, but "
        "cannot be sent to.",
        "The chat service does not permit this for the group. (10007)",
        "The chat service told nothing about it that can be used.",
    ):
        assert words in page


def test_changes_of_one_kind(client):
    sync = ended()
    change(sync, "added", "one-that-is-new")
    change(sync, "closed", "one-that-is-gone")

    page = text_of(client, "sync", sync.pk, kind="closed")
    odd = text_of(client, "sync", sync.pk, kind="nope")

    assert "one-that-is-gone" in page
    assert "one-that-is-new" not in page
    assert "“nope” is not in this list." in odd


def test_pages_of_changes(client):
    sync = ended()
    rows = [change(sync, "added", f"group-{n:03}") for n in range(60)]

    first = text_of(client, "sync", sync.pk)
    second = text_of(client, "sync", sync.pk, before=rows[10].pk)

    assert "group-059" in first
    assert "group-009" not in first
    assert f"before={rows[10].pk}" in first
    assert "group-009" in second


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_takes_the_same_queries_for_any_number_of_changes(
    client, count, django_assert_num_queries
):
    sync = ended()
    for number in range(count):
        change(sync, "added", f"g{number}")

    with django_assert_num_queries(RUN_QUERIES):
        client.get(reverse("admin:sync", args=[sync.pk]))


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        (
            {"error_code": 60010, "error_info": "not admin"},
            [
                "is not an App administrator. ",
                "(60010)",
                "not admin",
                "then try again.",
            ],
        ),
        (
            {"reason": "no_answer"},
            ["No answer came in time.", "Nothing was changed by it."],
        ),
        ({"reason": "defect"}, ["look into the log of the worker."]),
    ],
)
def test_why_it_failed_and_what_to_do(client, values, sentences):
    page = text_of(client, "sync", ended(status="failed", **values).pk)

    assert "The sync failed. What was read before that is kept." in page
    for sentence in sentences:
        assert sentence.strip() in page
    assert "Sync now" in page


def test_texts_of_tencent_are_shown_as_text(client):
    sync = ended(status="failed", error_code=1, error_info=HOSTILE_TEXT)
    for number, text in enumerate([*HOSTILE.values(), HOSTILE_TEXT]):
        change(sync, "changed", f"g{number}", name=text[:100],
               before={"name": text}, after={"name": "x"})  # fmt: skip

    page = text_of(client, "sync", sync.pk)

    assert "&lt;b onclick=x&gt;" in page
    assert HOSTILE_TEXT not in page


def test_changes_of_old_runs_are_gone_and_it_is_said(client):
    old = ended()
    for _n in range(RUNS_WITH_CHANGES):
        ended()

    page = text_of(client, "sync", old.pk)

    assert "The changes of older syncs are not kept." in page


def test_a_run_that_is_not_there(client):
    for name in ("sync", "sync_status"):
        assert client.get(reverse(f"admin:{name}", args=[9])).status_code == 404
    assert client.post(reverse("admin:sync_stop", args=[9])).status_code == 404


# --- the part that is kept fresh ---------------------------------------------------


@pytest.mark.usefixtures("_worker")
def test_the_part_that_changes(client):
    sync = GroupSync.objects.create(requested_by="li.na")
    address = reverse("admin:sync_status", args=[sync.pk])

    waiting = client.get(address)
    GroupSync.objects.update(status="running", started_at=MOMENT)
    reading = client.get(address)
    GroupSync.objects.update(status="completed", finished_at=MOMENT)
    done = client.get(address)

    assert "It starts within a second." in waiting.content.decode()
    assert "Reading the list of groups." in reading.content.decode()
    assert "X-Done" not in reading
    assert done["X-Done"] == "1"
    assert "no-store" in done["Cache-Control"]
    assert "Nothing changed." in done.content.decode()
    assert "<html" not in done.content.decode()


def test_at_the_end_the_fresh_part_leads_to_the_changes(client):
    sync = ended()
    change(sync, "added")

    fresh = text_of(client, "sync_status", sync.pk)
    whole = text_of(client, "sync", sync.pk)

    assert f'href="/groups/sync/{sync.pk}/">Show every change</a>' in fresh
    assert "Show every change" not in whole
    assert "Asked for by li.na · Started" in fresh


def test_that_no_worker_is_running_is_said(client):
    sync = GroupSync.objects.create(requested_by="li.na")

    page = text_of(client, "sync", sync.pk)

    assert "It waits because no worker is running." in page


# --- the buttons -------------------------------------------------------------------


def test_a_sync_is_asked_for_and_stopped(client):
    asked = client.post(reverse("admin:sync_request"))

    sync = GroupSync.objects.get()
    assert asked["Location"] == reverse("admin:sync", args=[sync.pk])
    stopped = client.post(reverse("admin:sync_stop", args=[sync.pk]), follow=True)
    assert "Stopped. What was read before that is kept." in stopped.content.decode()
    again = client.post(reverse("admin:sync_stop", args=[sync.pk]), follow=True)
    assert "This sync has ended already." in again.content.decode()
    actions = AuditEntry.objects.values_list("action", "actor")
    assert list(actions) == [("sync_ended", "li.na"), ("sync_requested", "li.na")]


@pytest.mark.parametrize("role", [permissions.COMMUNITY_MANAGER, permissions.AUDITOR])
def test_who_may_only_look_sees_no_button(log_in, role):
    client = log_in(make_user(role))
    sync = ended()

    for page in (
        text_of(client, "syncs"),
        text_of(client, "sync", sync.pk),
        text_of(client, "notifications_chatgroup_changelist"),
    ):
        assert "Sync now" not in page


def test_the_empty_list_of_groups_leads_to_a_sync(client):
    page = text_of(client, "notifications_chatgroup_changelist")

    assert (
        "No groups yet. Sync them from the chat service, add one, or import a file."
        in page
    )
    assert page.count('action="/groups/sync/now/"') == 1
    assert page.count("Sync now</button>") == 2
    assert 'href="/groups/sync/"' in page
