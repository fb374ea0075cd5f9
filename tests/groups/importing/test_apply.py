"""An import: what it would change, what it writes, and when it is refused."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import permissions
from notifications.groups import export as groups_export
from notifications.groups.importing import apply, parse, rows
from notifications.groups.importing.apply import (
    import_groups,
    import_pending,
    store_pending,
)
from notifications.groups.importing.parse import open_file
from notifications.groups.importing.plan import Difference, plan
from notifications.models import AuditEntry, ChatGroup, GroupImport, Label
from notifications.ui.downloads import export_pieces
from tests.factories import make_group, make_user
from tests.group_files import HEADER, opened, text_of

pytestmark = pytest.mark.django_db

WITH_LABELS = ("group_id", "type", "name", "member_count", "labels")


def labelled(group: ChatGroup, *names: str) -> ChatGroup:
    for name in names:
        group.labels.add(Label.objects.get_or_create(name=name)[0])
    return group


def labels_of(group_id: str) -> list[str]:
    group = ChatGroup.objects.get(group_id=group_id)
    return list(group.labels.values_list("name", flat=True))


def file_of(*rows, headings=WITH_LABELS):
    return opened(text_of(rows, headings).encode())


def test_a_plan_says_what_would_change_and_writes_nothing():
    group = make_group(group_id="g", name="Old", type="Public", member_count=5)
    labelled(group, "East", "VIP")
    make_group(group_id="same", name="Same", type="Public", member_count=7)
    file = file_of(
        ["g", "Community", "New", "6", "vip;North;north"],
        ["same", "Public", "Same", "", ""],
        ["new", "Public", "N", "", "West"],
        ["odd", "Nope", "Odd", "", ""],
    )

    preview = plan(file)

    assert [changed.differences for changed in preview.changed] == [
        [
            Difference("type", "Public", "Community"),
            Difference("name", "Old", "New"),
            Difference("member_count", 5, 6),
            Difference("labels", ["East", "VIP"], ["North", "VIP"]),
        ]
    ]
    assert [row.group_id for row in preview.new] == ["new"]
    assert [str(problem) for problem in preview.problems] == [
        "Line 5, Type: “Nope” is not one of Private, Public, ChatRoom, AVChatRoom, "
        "BChatRoom, Community."
    ]
    assert preview.counts == {"added": 1, "updated": 1, "unchanged": 1, "rejected": 1}
    assert preview.new_labels == ["West", "North"]
    assert ChatGroup.objects.count() == 2
    assert Label.objects.count() == 2


def test_an_import_writes_the_plan():
    labelled(make_group(group_id="g", name="Old"), "East", "VIP")
    make_group(group_id="none", name="None", state="closed", checked_at=None)

    import_groups(
        file_of(
            ["g", "Community", "New", "6", "vip;North"],
            ["none", "Public", "None", "120", ""],
            ["new", "Public", "N", "", "North;West"],
        ),
        actor="xu",
        file="groups.csv",
    )

    group = ChatGroup.objects.get(group_id="g")
    assert (group.name, group.former_names, group.type, group.member_count) == (
        "New",
        "Old",
        "Community",
        6,
    )
    assert list(ChatGroup.objects.matching("old")) == [group]
    new = ChatGroup.objects.get(group_id="new")
    assert (new.name, new.state, new.member_count) == ("N", "in_use", 0)
    assert new.created_at == new.checked_at
    assert ChatGroup.objects.get(group_id="none").state == "closed"
    assert ChatGroup.objects.filter(checked_at=None).count() == 0
    assert [labels_of(name) for name in ("g", "none", "new")] == [
        ["North", "VIP"],
        [],
        ["North", "West"],
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (
        "imported",
        "xu",
        {"added": 1, "updated": 1, "unchanged": 1, "rejected": 0, "file": "groups.csv"},
    )


def test_what_the_file_does_not_say_stays():
    labelled(make_group(group_id="g", name="G", member_count=5), "East")

    import_groups(opened(HEADER + b"g,Public,H\n"), actor="xu")

    assert ChatGroup.objects.get().member_count == 5
    assert labels_of("g") == ["East"]


def test_spaces_around_a_name_are_no_change():
    make_group(group_id="g", name=" G ")

    assert plan(opened(HEADER + b"g,Public,G\n")).unchanged == 1


def test_a_type_that_came_after_us_stays_where_it_is():
    make_group(group_id="g", name="G", type="Salon")
    make_group(group_id="h", name="H", type="Public")

    preview = plan(opened(HEADER + b"g,Salon,New\nh,Salon,H\nnew,Salon,N\n"))

    assert [changed.group.group_id for changed in preview.changed] == ["g"]
    assert [(problem.line, problem.column) for problem in preview.problems] == [
        (3, "type"),
        (4, "type"),
    ]


@pytest.mark.parametrize("rows", [1, 600])
def test_queries_do_not_grow_with_the_rows(rows, django_assert_num_queries):
    for number in range(3):
        make_group(group_id=f"g{number}", name="G")
    file = file_of(*([f"g{n}", "Public", f"G {n}", n, "East"] for n in range(rows)))

    with django_assert_num_queries(3):  # groups, labels, labels of groups
        plan(file)


def test_many_groups_are_written_in_few_statements(django_assert_max_num_queries):
    file = file_of(*([f"g{n}", "Public", "G", n, "East"] for n in range(6000)))

    # Besides the plan: a lock, 2 of groups, 1 + 1 + 2 of labels, the entry, savepoints.
    with django_assert_max_num_queries(13):
        import_groups(file, actor="xu")

    assert ChatGroup.labels.through.objects.count() == 6000


# --- between preview and confirmation ----------------------------------------------------


@pytest.fixture
def administrator():
    return make_user(permissions.GROUP_ADMINISTRATOR, username="xu")


def pending_and_digest(user, content: bytes):
    pending = store_pending(user, content, "groups.csv")
    file = opened(content)
    return pending, file, plan(file).digest


CHANGES = {
    "another name": lambda: ChatGroup.objects.update(name="Third"),
    "a group that is there by now": lambda: make_group(group_id="new"),
    "a label": lambda: labelled(ChatGroup.objects.get(), "East"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_overwritten_that_was_not_shown(administrator, change):
    make_group(group_id="g", name="Old")
    content = text_of(
        [["g", "Public", "New", "1", "VIP"], ["new", "Public", "N", "", ""]],
        WITH_LABELS,
    ).encode()
    pending, file, digest = pending_and_digest(administrator, content)
    CHANGES[change]()

    with pytest.raises(ValidationError, match="The groups were changed after"):
        import_pending(administrator, pending, file, digest=digest, leave_out=False)

    assert ChatGroup.objects.filter(name="New").count() == 0
    assert GroupImport.objects.count() == 1
    assert AuditEntry.objects.count() == 0


def test_a_file_is_imported_once(administrator):
    pending, file, digest = pending_and_digest(administrator, HEADER + b"g,Public,G\n")
    applied = import_pending(
        administrator, pending, file, digest=digest, leave_out=False
    )

    with pytest.raises(apply.NotPending, match="was imported already"):
        import_pending(administrator, pending, file, digest=digest, leave_out=False)

    assert applied.counts == {"added": 1, "updated": 0, "unchanged": 0, "rejected": 0}
    assert AuditEntry.objects.get().detail["number"] == pending.pk
    assert GroupImport.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_that_confirm_at_once_one_imports(administrator):
    pending, file, digest = pending_and_digest(administrator, HEADER + b"g,Public,G\n")
    ready = threading.Barrier(2)

    def confirm(_number: int) -> str:
        ready.wait()
        try:
            import_pending(administrator, pending, file, digest=digest, leave_out=False)
        except apply.NotPending:
            return "imported already"
        finally:
            connection.close()
        return "imported"

    with ThreadPoolExecutor(2) as threads:
        results = set(threads.map(confirm, range(2)))

    assert results == {"imported", "imported already"}
    assert ChatGroup.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_lines_with_errors_are_left_out_only_when_asked(administrator):
    content = HEADER + b"g,Public,G\nh,Nope,H\n"
    pending, file, digest = pending_and_digest(administrator, content)

    with pytest.raises(ValidationError, match="There are lines with errors"):
        import_pending(administrator, pending, file, digest=digest, leave_out=False)
    assert ChatGroup.objects.count() == 0

    import_pending(administrator, pending, file, digest=digest, leave_out=True)
    assert ChatGroup.objects.get().group_id == "g"


def test_nobody_imports_the_file_of_another(administrator):
    pending, file, digest = pending_and_digest(administrator, HEADER + b"g,Public,G\n")
    other = make_user(permissions.GROUP_ADMINISTRATOR, username="he")

    with pytest.raises(PermissionDenied):
        import_pending(other, pending, file, digest=digest, leave_out=False)

    assert GroupImport.objects.count() == 1


def test_when_something_fails_nothing_is_written(administrator):
    pending, file, digest = pending_and_digest(administrator, HEADER + b"g,Public,G\n")

    def fail_at_the_audit_entry(execute, sql, *args):
        if sql.startswith(f'INSERT INTO "{AuditEntry._meta.db_table}"'):
            raise IntegrityError("disk full")
        return execute(sql, *args)

    with (
        connection.execute_wrapper(fail_at_the_audit_entry),
        pytest.raises(IntegrityError, match="disk full"),
    ):
        import_pending(administrator, pending, file, digest=digest, leave_out=False)

    assert (ChatGroup.objects.count(), GroupImport.objects.count()) == (0, 1)


def test_a_file_that_nobody_confirmed_goes_with_the_next_a_day_later(administrator):
    day = apply.PENDING_MAX_AGE
    old = store_pending(administrator, HEADER + b"g,Public,G\n")
    young = store_pending(administrator, HEADER + b"g,Public,G\n")
    GroupImport.objects.filter(pk=old.pk).update(created_at=old.created_at - day)
    GroupImport.objects.filter(pk=young.pk).update(
        created_at=young.created_at - day * 0.9
    )

    last = store_pending(administrator, HEADER + b"g,Public,G\n", "n" * 300)

    assert set(GroupImport.objects.all()) == {young, last}
    assert last.file_name == "n" * 200


# --- what we write ourselves ------------------------------------------------------------------

IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1).map(
    lambda text: text[:48]
)
NAMES = (
    (
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
        | st.sampled_from(["=1+1", "'=x", "''", "@all", "-", "+1", "a;b", 'a"b', "、"])
    )
    .map(lambda text: text[:100].strip())
    .filter(bool)
)
LABELS = st.lists(
    st.sampled_from(["East", "华东", "=x", "'a", "two words", "@b"]), max_size=3
)
GROUPS = st.lists(
    st.tuples(
        IDS,
        st.sampled_from(["Private", "Public", "AVChatRoom", "Community", "Salon"]),
        NAMES,
        st.integers(0, 10**9 - 1),
        LABELS,
        st.sampled_from(ChatGroup.State.values),
    ),
    unique_by=lambda row: row[0],
    max_size=8,
)


@settings(max_examples=40)  # each writes and reads a table
@given(rows=GROUPS)
def test_what_was_exported_is_imported_as_unchanged(rows):
    ChatGroup.objects.all().delete()
    for group_id, group_type, name, count, labels, state in rows:
        group = make_group(
            group_id=group_id,
            type=group_type,
            name=name,
            member_count=count,
            state=state,
        )
        labelled(group, *labels)
    pages = groups_export.pages(ChatGroup.objects.all())
    pieces = export_pieces(groups_export.COLUMNS, pages, "csv")
    content = b"".join(piece for piece, _rows in pieces)
    if not rows:
        return

    file = opened(content)
    preview = plan(file)

    assert file.ignored == ["state", "checked_at"]
    assert (preview.new, preview.changed, preview.problems) == ([], [], [])
    assert preview.unchanged == len(rows)


# --- memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["plan", "import"])
def test_the_memory_does_not_depend_on_the_number_of_rows(work, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 500)
    monkeypatch.setattr(parse, "PIECE", 10_000)
    works = {"plan": plan, "import": partial(import_groups, actor="xu")}

    def peak(count: int) -> int:
        path = tmp_path / "groups.csv"
        path.write_text(
            text_of(
                (
                    [f"{count}-{n}", "Public", f"G {n}", n, "East;West"]
                    for n in range(count)
                ),
                WITH_LABELS,
            )
        )
        with path.open("rb") as file:
            tracemalloc.start()
            try:
                works[work](open_file(file))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    small, large = peak(1000), peak(10_000)

    # 9,000 rows more: a number that is kept of each takes 280 kB.
    assert large - small < 200_000, (small, large)
