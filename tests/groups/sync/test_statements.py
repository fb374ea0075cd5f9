"""The statements of a sync have the effect of the ORM queries that they replace."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.groups.sync import statements
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem
from tests.factories import make_group

pytestmark = pytest.mark.django_db

NOW = timezone.now()
# Quotes, backslashes and braces are special in an array of PostgreSQL, as is NULL.
NAMES = ['a"b', "c\\d", "{e,f}", "NULL", "", "徒步 ?%s"]


def fields(*group_ids: str) -> list[dict[str, Any]]:
    rows = ChatGroup.objects.filter(group_id__in=group_ids).order_by("group_id")
    return [*rows.values(*statements.GROUP, "checked_at", "created_at")]


def items(sync: GroupSync, done: str = "") -> None:
    for group_id in ("a", "b", "c", "d"):
        SyncItem.objects.create(sync=sync, group_id=group_id, is_done=group_id in done)


@pytest.fixture
def sync():
    return GroupSync.objects.create(
        requested_by="x", status="completed", finished_at=NOW
    )


@pytest.fixture
def other():
    return GroupSync.objects.create(
        requested_by="x", status="completed", finished_at=NOW
    )


def test_pending_items(sync, other):
    items(sync, done="b")
    items(other)
    query = SyncItem.objects.filter(sync=sync, is_done=False).order_by("pk")
    expected = [*query.values_list("pk", "group_id")]

    assert statements.pending_items(sync.pk, 0, 9) == expected
    assert statements.pending_items(sync.pk, expected[0][0], 1) == expected[1:2]


def test_groups():
    for group_id in ("c", "a", "b"):
        make_group(group_id=group_id, name=f"Name {group_id}")
    query = ChatGroup.objects.filter(group_id__in=["a", "c", "x"]).order_by("pk")
    expected = [*query.values_list("pk", *statements.GROUP)]

    assert sorted(statements.groups(["a", "c", "x"])) == expected
    with transaction.atomic():
        assert statements.lock_groups(["a", "c", "x"]) == expected


def test_mark_done(sync, other):
    items(sync, done="b")
    items(other)

    assert statements.mark_done(sync.pk, ["a", "b", "x"]) == {"a"}
    assert statements.mark_done(sync.pk, ["a", "b", "x"]) == set()

    done = SyncItem.objects.filter(is_done=True).order_by("group_id")
    assert [*done.values_list("sync", "group_id")] == [(sync.pk, "a"), (sync.pk, "b")]


def test_insert_groups():
    rows = [(f"s{n}", name or "x", "Public", n, "closed", name)
            for n, name in enumerate(NAMES)]  # fmt: skip
    ChatGroup.objects.bulk_create(
        ChatGroup(**dict(zip(statements.GROUP, row, strict=True)), checked_at=NOW)
        for row in rows
    )
    ChatGroup.objects.update(created_at=NOW)
    expected = fields(*(row[0] for row in rows))
    ChatGroup.objects.all().delete()

    assert statements.insert_groups(rows, NOW) == len(rows)
    assert fields(*(row[0] for row in rows)) == expected
    assert statements.insert_groups([*rows, ("new", *rows[0][1:])], NOW) == 1
    assert ChatGroup.objects.count() == len(rows) + 1


def test_a_value_that_the_table_refuses_is_an_error():
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.insert_groups([("x", "n", "Public", -1, "in_use", "")], NOW)


def test_update_groups():
    for group_id in ("a", "b", "c"):
        make_group(group_id=group_id)
    created = dict(ChatGroup.objects.values_list("group_id", "created_at"))
    rows = [("a", 'x"\\', "Community", 7, "closed", "was"),
            ("b", "徒步", "AVChatRoom", 0, "in_use", "")]  # fmt: skip
    untouched = fields("c")

    statements.update_groups(rows, NOW)

    assert fields("a", "b") == [
        dict(zip(statements.GROUP, row, strict=True))
        | {"checked_at": NOW, "created_at": created[row[0]]}
        for row in rows
    ]
    assert fields("c") == untouched


def test_confirm_groups():
    groups = [make_group(group_id=group_id) for group_id in ("a", "b", "c")]
    later = NOW + timedelta(seconds=1)

    statements.confirm_groups([groups[0].pk, groups[2].pk], later)

    confirmed = ChatGroup.objects.filter(checked_at=later).order_by("group_id")
    assert [group.group_id for group in confirmed] == ["a", "c"]


def test_insert_changes(sync, other):
    changes = [
        SyncChange(
            sync=other,
            kind="changed",
            group_id=f"s{n}",
            name=name,
            before={"name": name},
            after={"member_count": n, name: "\\"},
        )
        for n, name in enumerate(NAMES)
    ]
    SyncChange.objects.bulk_create(changes)

    statements.insert_changes(
        sync.pk,
        [
            (
                one.kind,
                one.group_id,
                one.name,
                *map(json.dumps, (one.before, one.after)),
            )
            for one in changes
        ],
    )

    columns = ("kind", "group_id", "name", "before", "after")
    assert [*sync.changes.values(*columns)] == [*other.changes.values(*columns)]
