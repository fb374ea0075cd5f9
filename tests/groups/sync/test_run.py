"""One run against the stand-in: what it finds, what it changes, and what it leaves."""

import pytest
from django.db import OperationalError

from notifications.groups.sync import listing
from notifications.groups.sync.queries import change_counts, progress_of
from notifications.models import (
    AuditEntry,
    ChatGroup,
    GroupSync,
    GroupType,
    SyncChange,
    SyncItem,
)
from notifications.sandbox import group_calls
from notifications.sandbox.protocol import RequestRefused
from tests.factories import make_group

pytestmark = pytest.mark.django_db


def changes(sync: GroupSync) -> set[tuple[str, str]]:
    return set(SyncChange.objects.filter(sync=sync).values_list("kind", "group_id"))


def test_an_empty_list_fills_up(tencent, run_sync):
    for group_type in GroupType.values:
        tencent.add_group(f"@{group_type}", group_type, "名 Name", member_count=12)

    sync = run_sync()

    assert sync.status == "completed"
    assert change_counts(sync) == {
        "added": 6, "changed": 0, "closed": 0, "reopened": 0, "unknown_type": 0,
        "not_read": 0,
    }  # fmt: skip
    assert set(ChatGroup.objects.values_list("group_id", "type", "name")) == {
        (f"@{group_type}", group_type, "名 Name") for group_type in GroupType.values
    }
    # Tencent gives no number of members for live rooms.
    assert dict(ChatGroup.objects.values_list("type", "member_count")) == {
        **dict.fromkeys(GroupType.values, 12),
        "AVChatRoom": 0,
    }
    assert ChatGroup.objects.filter(checked_at=None).count() == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("sync_ended", "worker 7")
    assert entry.detail == {"sync": sync.pk, "status": "completed"} | change_counts(
        sync
    )


def test_pages_of_the_list_and_batches_of_details(tencent, run_sync):
    for number in range(120):
        tencent.add_group(f"g{number}", "Public")

    sync = run_sync(page_limit=30, block=7)

    assert ChatGroup.objects.count() == change_counts(sync)["added"] == 120
    # 4 pages each of Public and of all types, one of each other type.
    assert tencent.calls.codes("get_appid_group_list") == [0] * (4 + 4 + 5)
    assert progress_of(sync).done == 120
    assert len(tencent.calls.codes("get_group_info")) <= 6


def test_what_changed_is_written_and_named(tencent, run_sync):
    make_group(group_id="same", name="Same", member_count=5)
    make_group(group_id="named", name="Old name", former_names="Oldest")
    make_group(group_id="typed", name="Typed", type="ChatRoom")
    make_group(group_id="grown", name="Grown", member_count=5)
    make_group(group_id="live", name="Live", type="AVChatRoom", member_count=77)
    tencent.add_group("same", "Public", "Same", member_count=5)
    tencent.add_group("named", "Public", "New name", member_count=120)
    tencent.add_group("typed", "AVChatRoom", "Typed")
    tencent.add_group("grown", "Public", "Grown", member_count=6)
    tencent.add_group("live", "AVChatRoom", "Live", member_count=900)

    sync = run_sync()

    rows = ChatGroup.objects.in_bulk(field_name="group_id")
    assert (rows["named"].name, rows["named"].former_names) == (
        "New name",
        "Oldest\nOld name",
    )
    assert (rows["typed"].type, rows["typed"].member_count) == ("AVChatRoom", 120)
    assert (rows["grown"].member_count, rows["live"].member_count) == (6, 77)
    assert all(row.checked_at is not None for row in rows.values())
    named, typed = SyncChange.objects.order_by("group_id")
    assert (named.kind, named.name) == ("changed", "New name")
    assert (named.before, named.after) == ({"name": "Old name"}, {"name": "New name"})
    assert (typed.before, typed.after) == (
        {"type": "ChatRoom"},
        {"type": "AVChatRoom"},
    )
    assert sync.members_updated == 1


def test_a_group_is_closed_by_tencents_own_word_only(tencent, run_sync):
    make_group(group_id="gone", name="Gone")
    make_group(group_id="off", state="switched_off")
    make_group(group_id="dead", state="closed", checked_at=None)
    make_group(group_id="hidden")
    tencent.add_group("hidden", "Public")
    in_no_list = tencent.groups["hidden"]
    tencent.groups = _Unlisted(tencent.groups, hidden=in_no_list)

    sync = run_sync()

    assert dict(ChatGroup.objects.values_list("group_id", "state")) == {
        "gone": "closed",
        "off": "switched_off",
        "dead": "closed",
        "hidden": "in_use",
    }
    assert changes(sync) >= {("closed", "gone")}
    assert change_counts(sync)["closed"] == 1
    # Closed before and in no list: not asked for again.
    assert ChatGroup.objects.get(group_id="dead").checked_at is None


class _Unlisted(dict):
    """Groups of which one answers, but stands in no list."""

    def __init__(self, groups, hidden):
        super().__init__(groups)
        self.hidden = hidden

    def values(self):
        return [group for group in super().values() if group is not self.hidden]


def test_a_closed_group_that_answers_is_open_again(tencent, run_sync):
    make_group(group_id="back", name="Old", state="closed")
    make_group(group_id="off", state="switched_off", name="Off")
    tencent.add_group("back", "Public", "New", member_count=120)
    tencent.add_group("off", "Public", "Off", member_count=120)

    sync = run_sync()

    assert changes(sync) == {("reopened", "back")}
    change = SyncChange.objects.get()
    assert change.before == {"name": "Old", "state": "closed"}
    assert change.after == {"name": "New", "state": "in_use"}
    assert dict(ChatGroup.objects.values_list("group_id", "state")) == {
        "back": "in_use",
        "off": "switched_off",
    }


def test_a_type_that_came_after_us_is_kept_and_not_used(tencent, run_sync):
    make_group(group_id="turned", name="T", member_count=0)
    tencent.add_group("new", "Topic", "N")
    tencent.add_group("turned", "Topic", "T")

    sync = run_sync()
    again = run_sync()

    assert changes(sync) == {
        ("added", "new"),
        ("unknown_type", "new"),
        ("changed", "turned"),
        ("unknown_type", "turned"),
    }
    assert changes(again) == set()
    assert set(ChatGroup.objects.values_list("type", "state")) == {("Topic", "in_use")}
    assert ChatGroup.objects.usable().count() == 0


def test_names_that_are_empty_too_long_or_odd(tencent, run_sync):
    tencent.add_group("nameless", "Public")
    tencent.groups["nameless"].name = ""
    tencent.add_group("long", "Public", "长" * 150)
    tencent.add_group("odd", "Public", "two\nlines")

    run_sync()

    assert dict(ChatGroup.objects.values_list("group_id", "name")) == {
        "nameless": "nameless",
        "long": "长" * 100,
        "odd": "two lines",
    }


def test_a_group_without_a_type_or_with_a_code_is_named_and_left_alone(
    tencent, run_sync
):
    make_group(group_id="typeless", name="Typeless")
    tencent.add_group("typeless", "")
    tencent.add_group("two words", "Public")
    tencent.add_group("x" * 60, "Public")

    sync = run_sync()

    assert changes(sync) == {
        ("not_read", "typeless"),
        ("not_read", "two words"),
        ("not_read", "x" * 48),
    }
    assert ChatGroup.objects.get().type == "Public"


def test_a_group_that_came_during_the_run_is_not_asked_for(tencent, run_sync):
    sync = GroupSync.objects.create(requested_by="lin.mei")
    sync = run_sync(sync, rounds=1)
    make_group(group_id="by hand")

    run_sync(sync)

    assert ChatGroup.objects.get().state == "in_use"


# --- going on after a kill ---------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 12, 45])
def test_another_worker_goes_on_where_one_was_killed(tencent, run_sync, rounds):
    for number in range(200):
        tencent.add_group(f"g{number}", "Public")
    make_group(group_id="gone")

    sync = run_sync(rounds=rounds, page_limit=40)
    before = AuditEntry.objects.count()
    sync = run_sync(sync, page_limit=40)

    assert sync.status == "completed"
    assert ChatGroup.objects.count() == 201
    counts = change_counts(sync)
    assert (counts["added"], counts["closed"]) == (200, 1)
    assert before <= 1
    assert AuditEntry.objects.count() == 1
    assert not SyncItem.objects.filter(sync=sync, is_done=False).exists()


def test_items_that_another_worker_adds_late_are_asked_for(tencent, run_sync):
    tencent.add_group("late", "Public")
    sync = GroupSync.objects.create(
        requested_by="lin.mei", is_listed=True, step=7,
        status="running", started_at="2026-03-02T09:30Z",
    )  # fmt: skip
    SyncItem.objects.create(sync=sync, group_id="late")

    run_sync(sync)

    assert changes(sync) == {("added", "late")}


def test_details_that_come_twice_are_counted_once(tencent, run_sync):
    """Two workers that overlap: the later one finds the items done."""
    tencent.add_group("g", "Public", member_count=3)
    make_group(group_id="g", name="Old", member_count=1)
    sync = run_sync()
    changed = change_counts(sync), sync.members_updated
    GroupSync.objects.filter(pk=sync.pk).update(status="running", finished_at=None)

    run_sync(sync)

    sync.refresh_from_db()
    assert (change_counts(sync), sync.members_updated) == changed


class _Pages:
    """A list of two pages; ``after_first`` is called when the first one is received."""

    def __init__(self, tencent, monkeypatch, after_first=lambda: None):
        for number in range(100):
            tencent.add_group(f"g{number:02}", "Public")
        self.events = []
        write_page, advance = listing.write_page, listing.advance

        def received(sync_id, request, page, block):
            if not self.events:
                after_first()
            self.events.append("received")
            return write_page(sync_id, request, page, block)

        def written(sync_id, request, next_page=0):
            advance(sync_id, request, next_page)
            self.events.append(len(tencent.calls.codes("get_appid_group_list")))

        monkeypatch.setattr(listing, "write_page", received)
        monkeypatch.setattr(listing, "advance", written)

    # Only one filter: a second pass would list again what the first one left out.
    options = {"list_filters": ("",), "page_limit": 60, "block": 4}


def test_the_next_page_is_requested_while_one_is_written(
    tencent, run_sync, monkeypatch
):
    pages = _Pages(tencent, monkeypatch)

    sync = run_sync(**pages.options)

    assert pages.events == ["received", 2, "received", 2]
    assert (sync.status, ChatGroup.objects.count()) == ("completed", 100)


@pytest.mark.parametrize("rounds", range(1, 14))
def test_a_page_that_was_not_written_before_a_kill_is_read_again(
    tencent, run_sync, monkeypatch, rounds
):
    pages = _Pages(tencent, monkeypatch)
    sync = run_sync(rounds=rounds, **pages.options)
    tencent.groups.pop("g99")  # of the second page
    tencent.add_group("new", "Public")

    sync = run_sync(sync, **pages.options)

    assert sync.status == "completed"
    ids = set(ChatGroup.objects.values_list("group_id", flat=True))
    assert ids >= {f"g{number:02}" for number in range(99)}


@pytest.mark.parametrize(
    ("fault", "status"), [("code:60008", "completed"), ("code:60010", "failed")]
)
def test_an_error_of_the_next_page_leaves_out_no_group(
    tencent, run_sync, monkeypatch, fault, status
):
    def fail():
        tencent.fail_next("get_appid_group_list", fault)

    pages = _Pages(tencent, monkeypatch, fail)
    sync = run_sync(**pages.options)

    assert sync.status == status
    if status == "failed":
        sync = run_sync(**pages.options)
    assert (sync.status, ChatGroup.objects.count()) == ("completed", 100)


def test_a_filter_is_skipped_after_the_page_before_it_is_written(
    tencent, run_sync, monkeypatch
):
    def fail():
        tencent.fail_next("get_appid_group_list", "code:10004")

    pages = _Pages(tencent, monkeypatch, fail)
    options = pages.options | {"list_filters": ("Public", "Topic"), "page_limit": 100}
    sync = run_sync(**options)

    assert (sync.status, sync.step) == ("completed", 2)
    assert pages.events == ["received", 2, 2]
    assert ChatGroup.objects.count() == 100


def test_an_outage_while_a_page_is_written(tencent, run_sync, monkeypatch):
    pages = _Pages(tencent, monkeypatch)
    insert, calls = listing.insert_json, iter(range(100))

    def failing(*arguments, **named):
        if next(calls) == 2:
            raise OperationalError("gone")
        insert(*arguments, **named)

    monkeypatch.setattr(listing, "insert_json", failing)
    sync = GroupSync.objects.create(requested_by="lin.mei")
    with pytest.raises(OperationalError):
        run_sync(sync, **pages.options)
    sync.refresh_from_db()
    assert (sync.status, sync.step, sync.next) == ("running", 0, 0)

    sync = run_sync(sync, **pages.options)

    assert (sync.status, ChatGroup.objects.count()) == ("completed", 100)


# --- failures ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("get_appid_group_list", "code:60008"),
        ("get_appid_group_list", "code:60007"),
        ("get_group_info", "code:10002"),
        ("get_group_info", "status_502"),
        ("get_group_info", "bool_code"),
    ],
)
def test_what_may_pass_is_tried_again(tencent, run_sync, command, fault):
    tencent.add_group("g", "Public")
    tencent.fail_next(command, fault, times=4)

    sync = run_sync()

    assert sync.status == "completed"
    assert ChatGroup.objects.count() == 1


@pytest.mark.parametrize("command", ["get_appid_group_list", "get_group_info"])
@pytest.mark.parametrize(
    ("fault", "code", "reason", "tries"),
    [
        ("code:10002", 10002, "", 5),
        ("status_502", None, "http_status", 5),
        ("code:60010", 60010, "", 1),  # about the account: every call fails alike
        ("code:60002", 60002, "", None),
    ],
)
def test_what_does_not_pass_ends_the_run(
    tencent, run_sync, command, fault, code, reason, tries
):
    tencent.add_group("g", "Public")
    tencent.fail_next(command, fault, times=100)

    sync = run_sync()

    assert (sync.status, sync.error_code, sync.reason) == ("failed", code, reason)
    assert sync.finished_at is not None
    assert ChatGroup.objects.count() == 0
    if tries is not None:
        codes = tencent.calls.codes(command)
        assert codes == [code] * tries
    entry = AuditEntry.objects.get()
    assert entry.detail["status"] == "failed"
    expected = {"code": code} if code else {"reason": reason}
    assert entry.detail.items() >= expected.items()


def test_an_unreachable_service(settings, tencent, run_sync):
    settings.IM_BASE_URL = "http://127.0.0.1:9"

    sync = run_sync()

    assert (sync.status, sync.error_code, sync.reason) == ("failed", None, "refused")


def test_a_signature_that_was_refused_is_made_anew_once(tencent, run_sync):
    tencent.add_group("g", "Public")
    tencent.fail_next("get_appid_group_list", "code:70001")
    tencent.fail_next("get_group_info", "code:70003")

    assert run_sync().status == "completed"

    tencent.fail_next("get_appid_group_list", "code:70001", times=2)
    sync = run_sync()
    assert (sync.status, sync.error_code) == ("failed", 70001)


def test_the_key_that_is_to_follow_is_turned_to(settings, tencent, run_sync):
    tencent.add_group("g", "Public")
    settings.IM_SECRET_KEY_NEXT = "f" * 64
    tencent.change_key("f" * 64)

    assert run_sync().status == "completed"

    tencent.change_key("another one")
    sync = run_sync()
    assert (sync.status, sync.error_code) == ("failed", 70009)


def test_too_much_at_once_is_asked_for_in_smaller_parts(tencent, run_sync):
    for number in range(60):
        tencent.add_group(f"g{number}", "Public")
    tencent.fail_next("get_appid_group_list", "code:10018", times=2)
    tencent.fail_next("get_group_info", "code:10018", times=2)

    sync = run_sync()

    assert (sync.status, ChatGroup.objects.count()) == ("completed", 60)


def test_an_answer_that_is_never_small_enough_ends_the_run(tencent, run_sync):
    tencent.fail_next("get_appid_group_list", "code:10018", times=100)

    sync = run_sync()

    assert (sync.status, sync.error_code) == ("failed", 10018)
    assert len(tencent.calls.codes("get_appid_group_list")) == 8  # 10000 … 100


class _Refusing(dict):
    """Groups of which one refuses every call that asks for its details."""

    def get(self, group_id):
        if group_id == "bad":
            raise RequestRefused(10015, "GroupId has a wrong form")
        return super().get(group_id)


def test_one_bad_group_does_not_spoil_the_others(tencent, run_sync):
    """A call that is refused for one group in it, until it is asked for alone."""
    tencent.groups = _Refusing(tencent.groups)
    make_group(group_id="bad", name="Bad")
    for name in ("a", "bad", "c"):
        tencent.add_group(name, "Public", name)

    sync = run_sync()

    assert sync.status == "completed"
    assert changes(sync) == {("added", "a"), ("not_read", "bad"), ("added", "c")}


def test_a_type_that_tencent_no_longer_lists_is_found_by_the_last_pass(
    tencent, run_sync, monkeypatch
):
    monkeypatch.setattr(
        "notifications.sandbox.group_calls.FILTERS", {"Public", "Private"}
    )
    tencent.add_group("b", "BChatRoom")

    sync = run_sync()

    assert sync.status == "completed"
    assert ChatGroup.objects.get().type == "BChatRoom"


def test_a_list_that_never_ends_is_given_up(tencent, run_sync, monkeypatch):
    def stuck(path, body, groups):
        return {"TotalCount": 1, "GroupIdList": [{"GroupId": "g"}], "Next": 2**40}

    monkeypatch.setattr(group_calls, "fields_of", stuck)

    sync = run_sync()

    assert (sync.status, sync.reason) == ("failed", "bad_answer")


def test_an_answer_that_contradicts_itself_is_no_list(tencent, run_sync):
    tencent.add_group("g", "Public")
    tencent.fail_next("get_appid_group_list", "fail_with_0", times=5)

    sync = run_sync()

    assert (sync.status, sync.reason) == ("failed", "contradiction")
    assert sync.error_code is None
    assert not ChatGroup.objects.exists()


def test_a_run_that_somebody_stopped_changes_nothing_more(tencent, run_sync):
    for number in range(100):
        tencent.add_group(f"g{number}", "Public")
    sync = run_sync(rounds=2)
    GroupSync.objects.filter(pk=sync.pk).update(
        status="cancelled", finished_at="2026-03-02T09:30Z"
    )
    known = ChatGroup.objects.count()

    sync = run_sync(sync)

    assert (sync.status, ChatGroup.objects.count()) == ("cancelled", known)
    assert AuditEntry.objects.count() == 0
