"""Two changes of groups, labels and audiences at the same time."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.http import HttpResponse

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.groups import labels as groups_labels
from notifications.groups import services as groups_services
from notifications.groups.importing.apply import import_groups
from notifications.groups.sync.compare import GROUP_GONE
from notifications.groups.sync.details import GroupAddedMeanwhile, write_details
from notifications.models import (
    ChatGroup,
    GroupSync,
    Label,
    Rule,
    SavedAudience,
    SyncChange,
    SyncItem,
)
from notifications.tencent.calls.get_group_info import GroupInfo
from tests.edit_forms import form_of, save_form
from tests.factories import make_group, make_user
from tests.group_files import opened, text_of
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

IS_SQLITE = connection.vendor == "sqlite"

VALUES = {"name": "徒步", "type": "Public", "member_count": 5, "state": "in_use"}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def user():
    return make_user(permissions.GROUP_ADMINISTRATOR, username="xu")


@pytest.fixture
def group():
    return make_group(group_id="g", **VALUES)


@pytest.fixture
def sync(group):
    sync = GroupSync.objects.create(requested_by="x", status="running")
    SyncItem.objects.create(sync=sync, group_id=group.group_id)
    return sync


def close_by(sync: GroupSync) -> None:
    gone = GroupInfo("g", GROUP_GONE, "group not exist")
    write_details(sync.pk, ["g"], [gone], NOW)


def import_file() -> None:
    rows = [["g", "Public", "From a file", "6", "North"]]
    headings = ("group_id", "type", "name", "member_count", "labels")
    import_groups(opened(text_of(rows, headings).encode()), actor="xu")


def errors_of(response: HttpResponse) -> dict[str, list[str]]:
    return dict(form_of(response).errors)


# --- an old form -----------------------------------------------------------------------


def test_an_old_form_of_a_group_does_not_reopen_it(user, group, sync, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"
    old = VALUES | {"made_from": form_of(client.get(address))["made_from"].value()}
    close_by(sync)

    refused = client.post(address, old)
    state = ChatGroup.objects.get().state
    again = client.post(
        address, old | {"made_from": form_of(refused)["made_from"].value()}
    )

    assert errors_of(refused) == {
        "state": [
            "Changed meanwhile from “In use” to “Closed”. Look again; to keep your "
            "value, save once more."
        ]
    }
    assert state == "closed"
    assert again.status_code == 302
    assert ChatGroup.objects.get().state == "in_use"


def test_an_old_form_does_not_take_off_a_label_of_a_colleague(user, group, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"
    old = VALUES | {"made_from": form_of(client.get(address))["made_from"].value()}
    groups_labels.add_labels(user, ChatGroup.objects.all(), ["North"])

    refused = client.post(address, old)

    assert list(errors_of(refused)) == ["label_names"]
    assert [label.name for label in group.labels.all()] == ["North"]


def test_a_form_without_the_values_it_was_made_from_changes_nothing(
    user, group, log_in
):
    address = f"/notifications/chatgroup/{group.pk}/change/"

    refused = log_in(user).post(address, VALUES | {"state": "switched_off"})

    assert list(errors_of(refused)) == ["state"]
    assert ChatGroup.objects.get().state == "in_use"


def test_a_form_sent_twice_changes_nothing_the_second_time(user, group, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"
    values = VALUES | {"state": "switched_off", "made_from": ""}
    values["made_from"] = form_of(client.get(address))["made_from"].value()

    codes = [client.post(address, values).status_code for _twice in range(2)]

    assert codes == [302, 302]


def test_an_old_form_of_an_audience_shows_what_a_colleague_changed(user, log_in):
    client = log_in(user)
    saved = audiences_saved.save(user, "All", Rule(types=("Public",)))
    address = f"/groups/audiences/{saved.pk}/"
    made_from = form_of(client.get(address))["made_from"].value()
    colleague = make_user(permissions.COMMUNITY_MANAGER)
    audiences_saved.save(
        colleague, "All", Rule(types=("Community",), min_members=9), pk=saved.pk
    )

    refused = client.post(
        address, {"name": "Mine", "types": ["Public"], "made_from": made_from}
    )

    assert errors_of(refused) == {
        "types": [
            "Changed meanwhile from “Public” to “Community”. Look again; to keep your "
            "value, save once more."
        ],
        "min_members": [
            "Changed meanwhile from “–” to “9”. Look again; to keep your value, save "
            "once more."
        ],
    }
    assert SavedAudience.objects.get().name == "All"


def test_an_old_form_does_not_rename_a_label_that_was_renamed(user, log_in):
    label = Label.objects.create(name="North")
    groups_labels.rename(user, label.pk, "Nord")
    address = f"/groups/labels/{label.pk}/rename/"

    refused = log_in(user).post(address, {"name": "N", "before": "North"})

    assert errors_of(refused) == {
        "name": [
            "The label is not called “North” any more but “Nord”. Look again; to rename "
            "it, save once more."
        ]
    }
    assert form_of(refused)["before"].value() == "Nord"
    assert Label.objects.get().name == "Nord"


# --- at the same time ------------------------------------------------------------------


def test_a_group_form_and_a_sync(user, group, sync, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"

    saved, closed = interleave(
        lambda: save_form(client, address, VALUES | {"name": "New"}).status_code,
        lambda: close_by(sync),
        at="notifications.groups.services.save_group",
    )

    assert (saved, closed) == (302, None)
    group.refresh_from_db()
    assert (group.name, group.state) == ("New", "closed")


def test_a_group_form_and_a_sync_that_is_first(user, group, sync, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"

    closed, saved = interleave(
        lambda: close_by(sync),
        lambda: save_form(client, address, VALUES | {"name": "New"}).status_code,
        at="notifications.groups.sync.details._write_changes",
    )

    assert (saved, closed) == (200, None)
    group.refresh_from_db()
    assert (group.name, group.state) == ("徒步", "closed")


@pytest.mark.parametrize("change", ["form", "switch", "labels", "rename", "sync"])
def test_an_import_during_another_change(change, user, group, sync, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"
    label = Label.objects.create(name="North")
    everything = ChatGroup.objects.all()
    changes = {
        "form": (
            lambda: save_form(client, address, VALUES | {"state": "closed"}),
            "notifications.groups.services.save_group",
        ),
        "switch": (
            lambda: groups_services.switch_off(user, everything),
            "notifications.groups.services.lock_tables",
        ),
        "labels": (
            lambda: groups_labels.remove_labels(user, everything, ["North"]),
            "notifications.groups.labels._locked",
        ),
        "rename": (
            lambda: groups_labels.rename(user, label.pk, "Nord"),
            "notifications.groups.labels._check_unused",
        ),
        "sync": (
            lambda: close_by(sync),
            "notifications.groups.sync.details._write_groups",
        ),
    }
    work, at = changes[change]

    changed, imported = interleave(work, import_file, at=at)

    assert not isinstance(changed, BaseException)
    assert imported is None
    group.refresh_from_db()
    assert group.name == "From a file"


def test_a_group_is_added_while_a_sync_adds_it(sync):
    ChatGroup.objects.all().delete()
    info = GroupInfo("g", 0, "", "Public", "From Tencent", 7)

    def write() -> None:
        write_details(sync.pk, ["g"], [info], NOW)

    written, added = interleave(
        write,
        lambda: make_group(group_id="g", name="By hand"),
        at="notifications.groups.sync.statements.insert_groups",
    )

    changes = SyncChange.objects.values_list("kind", "before", "after")
    if IS_SQLITE:  # the person waits for the transaction of the sync
        assert (written, type(added)) == (None, IntegrityError)
        assert [kind for kind, _before, _after in changes] == ["added"]
    else:
        assert (type(written), type(added)) == (GroupAddedMeanwhile, ChatGroup)
        assert not changes.exists()
        assert not SyncItem.objects.get().is_done
        write()
        assert [*changes] == [
            ("changed", {"name": "By hand"}, {"name": "From Tencent"})
        ]
    assert SyncItem.objects.get().is_done
    assert ChatGroup.objects.get().name == "From Tencent"


def test_two_workers_write_the_same_new_group_of_a_sync(sync):
    ChatGroup.objects.all().delete()
    info = GroupInfo("g", 0, "", "Public", "From Tencent", 7)

    def write() -> None:
        write_details(sync.pk, ["g"], [info], NOW)

    results = interleave(
        write, write, at="notifications.groups.sync.statements.insert_groups"
    )

    assert results == (None, None)
    assert [change.kind for change in SyncChange.objects.all()] == ["added"]
    assert ChatGroup.objects.get().name == "From Tencent"


RULE = Rule(types=("Public",), labels=("North",))


def test_a_label_is_renamed_while_an_audience_is_edited(user):
    label = Label.objects.create(name="North")
    audience = audiences_saved.save(user, "All", RULE)
    edited = Rule(types=("Community",))

    interleave(
        lambda: groups_labels.rename(user, label.pk, "Nord"),
        lambda: audiences_saved.save(user, "All", edited, pk=audience.pk),
        at="notifications.models.SavedAudience.save",
    )

    assert SavedAudience.objects.get().rule == edited


def test_an_audience_is_edited_while_a_label_is_renamed(user):
    label = Label.objects.create(name="North")
    audience = audiences_saved.save(user, "All", RULE)

    interleave(
        lambda: audiences_saved.save(
            user, "All", Rule(labels=("North",), min_members=9), pk=audience.pk
        ),
        lambda: groups_labels.rename(user, label.pk, "Nord"),
        at="notifications.audiences.saved.audit_log.write",
    )

    assert SavedAudience.objects.get().rule == Rule(labels=("Nord",), min_members=9)


def test_an_edit_that_was_made_before_the_rename_is_refused(user):
    label = Label.objects.create(name="North")
    shown = audiences_saved.save(user, "All", RULE)
    groups_labels.rename(user, label.pk, "Nord")

    with pytest.raises(ValidationError, match="There is no label “North”"):
        audiences_saved.save(user, "All", RULE, pk=shown.pk)
    with pytest.raises(audiences_saved.AudienceChanged):
        audiences_saved.save(
            user, "All", Rule(types=("Public",)), pk=shown.pk, shown=shown
        )

    assert SavedAudience.objects.get().rule.labels == ("Nord",)


def test_one_name_for_two_audiences(user):
    def save(kind: str) -> SavedAudience:
        return audiences_saved.save(user, "All", Rule(types=(kind,)))

    _first, second = interleave(
        lambda: save("Public"),
        lambda: save("Community"),
        at="notifications.audiences.saved.audit_log.write",
    )

    assert isinstance(second, ValidationError)
    assert second.message_dict == {"name": ["There is an audience “All” already."]}


def test_one_name_for_two_labels(user):
    north, south = (Label.objects.create(name=name) for name in ("North", "South"))

    _first, second = interleave(
        lambda: groups_labels.rename(user, north.pk, "VIP"),
        lambda: groups_labels.rename(user, south.pk, "vip"),
        at="notifications.groups.labels.audit_log.write",
    )

    assert isinstance(second, ValidationError)
    assert second.messages == ["There is a label “VIP” already."]


def test_a_label_is_deleted_while_it_is_put_on_a_group(user, group):
    label = Label.objects.create(name="North")

    added, deleted = interleave(
        lambda: groups_labels.add_labels(user, ChatGroup.objects.all(), ["North"]),
        lambda: groups_labels.delete(user, label.pk),
        at="notifications.groups.labels._insert_links",
    )

    assert (added, deleted) == (1, None)
    assert not group.labels.exists()


def test_a_label_that_is_added_while_the_form_is_saved_is_kept(user, group, log_in):
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"

    interleave(
        lambda: save_form(client, address, VALUES | {"new_labels": "VIP"}),
        lambda: groups_labels.add_labels(user, ChatGroup.objects.all(), ["North"]),
        at="notifications.groups.labels.set_labels",
    )

    assert [label.name for label in group.labels.all()] == ["North", "VIP"]


def test_a_person_saves_a_form_and_switches_the_group_off_at_once(user, group, log_in):
    """In two tabs; both lock the person and the group."""
    client = log_in(user)
    address = f"/notifications/chatgroup/{group.pk}/change/"

    answer, switched = interleave(
        lambda: save_form(client, address, VALUES | {"member_count": 7}),
        lambda: groups_services.switch_off(user, ChatGroup.objects.all()),
        at="notifications.groups.services.require",
    )

    assert (answer.status_code, switched) == (302, 1)
    group.refresh_from_db()
    assert (group.member_count, group.state) == (7, "switched_off")


def test_a_group_is_added_twice_at_once(user, log_in):
    clients = log_in(user), log_in(user)
    values = VALUES | {"group_id": "new"}

    def add(number: int) -> HttpResponse:
        return clients[number].post("/notifications/chatgroup/add/", values)

    first, second = interleave(
        lambda: add(0), lambda: add(1), at="notifications.groups.services.save_group"
    )

    codes = {first.status_code, second.status_code}
    assert codes == {200, 302}
    refused = first if first.status_code == 200 else second
    assert errors_of(refused) == {
        "group_id": ["Chat group with this Group ID already exists."]
    }
