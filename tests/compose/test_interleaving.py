"""Two actions on one draft at the same time, stopped at named points."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from notifications import permissions
from notifications.audiences import saved
from notifications.compose.checked import ChangedSinceCheck, checked_of, sign
from notifications.compose.services import send as services_send
from notifications.compose.services.drafts import (
    Draft,
    DraftChanged,
    delete_draft,
    save_draft,
)
from notifications.compose.services.handover import hand_over
from notifications.models import (
    AuditEntry,
    ChatGroup,
    Delivery,
    DraftVersion,
    Notification,
    Rule,
)
from notifications.record.verification import verify
from tests.factories import (
    make_capability,
    make_group,
    make_notification,
    make_user,
    write_fields,
)
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

SEND = "notifications.compose.services.send"
CREATE = "notifications.compose.services.create_deliveries"
DRAFTS = "notifications.compose.services.drafts"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def draft(manager):
    make_group(group_id="g", name="Hikers")
    return make_notification(
        sender=manager, content="ONE", audience="chosen", audience_values=["g"]
    )


def edit(manager, draft, text="TWO", version=1):
    entered = Draft(text, "chosen", ["g"], version=version)
    return lambda: save_draft(manager, entered, notification_id=draft.pk)


def sending(manager, draft):
    digest = checked_of(manager, draft).digest()
    return lambda: services_send.send(manager, draft.pk, digest=digest)


@pytest.mark.parametrize(
    "point", [f"{SEND}.check_audience", f"{CREATE}.insert_deliveries"]
)
def test_an_edit_during_a_send_comes_too_late(manager, draft, point):
    sent, edited = interleave(sending(manager, draft), edit(manager, draft), at=point)

    assert (sent.status, edited.pk, edited.status) == ("sending", draft.pk, "sending")
    draft.refresh_from_db()
    assert (draft.content, draft.version) == ("ONE", 1)


def test_a_send_during_an_edit_is_refused(manager, draft):
    edited, sent = interleave(
        edit(manager, draft), sending(manager, draft), at=f"{DRAFTS}.require_own_draft"
    )

    assert edited.content == "TWO"
    assert isinstance(sent, ChangedSinceCheck)
    draft.refresh_from_db()
    assert (draft.status, draft.content) == ("draft", "TWO")
    assert not Delivery.objects.exists()


def test_the_page_names_an_edit_between_its_own_check_and_the_send(
    manager, draft, log_in
):
    checked = checked_of(manager, draft)
    form = {"digest": checked.digest(), "shown": sign(checked.shown())}
    client = log_in(manager)

    page, _edited = interleave(
        lambda: client.post(f"/write/{draft.pk}/check/", form),
        edit(manager, draft),
        at=f"{SEND}.send",
    )

    assert page.context["has_changed"]
    (difference,) = page.context["differences"]
    assert (difference.label, difference.before, difference.after) == (
        "Message",
        "ONE",
        "TWO",
    )
    assert page.context["draft"].content == "TWO"
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "change", [{"name": "Runners"}, {"type": "AVChatRoom"}, {"state": "closed"}]
)
def test_a_group_that_changes_before_the_rows_are_made(manager, draft, change):
    def change_group() -> None:
        with transaction.atomic():
            ChatGroup.objects.update(**change)

    sent, _ = interleave(
        sending(manager, draft), change_group, at=f"{CREATE}.insert_deliveries"
    )

    rows = list(Delivery.objects.values_list("group_name", "group_type"))
    if isinstance(sent, ChangedSinceCheck):  # on PostgreSQL, where the change commits
        assert rows == []
    else:
        assert rows == [("Hikers", "Public")]


def test_a_group_that_becomes_a_broadcast_before_the_rows_are_made(manager, draft):
    """PostgreSQL reads the new type, and a constraint of the database refuses the row."""
    Notification.objects.update(channel="group_message")

    def change_group() -> None:
        with transaction.atomic():
            ChatGroup.objects.update(type="BChatRoom")

    sent, _ = interleave(
        sending(manager, Notification.objects.get()),
        change_group,
        at=f"{CREATE}.insert_deliveries",
    )

    rows = list(Delivery.objects.values_list("group_type", flat=True))
    if isinstance(sent, ChangedSinceCheck):
        assert rows == []
    else:
        assert rows == ["Public"]


def test_a_probe_that_refuses_the_channel_while_the_check_page_is_open(
    manager, draft, log_in
):
    checked = checked_of(manager, draft)
    form = {"digest": checked.digest(), "shown": sign(checked.shown())}
    client = log_in(manager)

    page, _ = interleave(
        lambda: client.post(f"/write/{draft.pk}/check/", form),
        lambda: make_capability("system_notification", "no", error_code=10026),
        at=f"{SEND}.send",
    )

    sentence = (
        "System notification: not offered, because the application may not send it "
        "(code 10026, probed on 2026-03-02)."
    )
    assert page.context["problems"] == [sentence]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("text", ["ONE", "TWO"])
def test_two_submissions_of_one_form_are_one_draft(manager, text):
    make_group(group_id="g")
    token = uuid.uuid4()

    def save(content: str):
        return lambda: save_draft(manager, Draft(content, "chosen", ["g"], token=token))

    first, second = interleave(save("ONE"), save(text), at=f"{DRAFTS}._write_saved")

    assert Notification.objects.get() == first
    if text == "ONE":
        assert second == first
    else:
        assert isinstance(second, DraftChanged)
        assert second.stored == first
    assert AuditEntry.objects.count() == 1


def test_a_double_click_on_the_first_form_leads_to_one_draft(manager, log_in):
    make_group(group_id="hikers")
    clients = [log_in(manager), log_in(manager)]

    one, two = interleave(
        *[lambda c=client: c.post("/write/", write_fields()) for client in clients],
        at=f"{DRAFTS}._write_saved",
    )

    address = f"/write/{Notification.objects.get().pk}/check/"
    assert (one["Location"], two["Location"]) == (address, address)


def test_of_two_edits_the_second_is_refused(manager, draft):
    first, second = interleave(
        edit(manager, draft),
        edit(manager, draft, "THREE"),
        at=f"{DRAFTS}.require_own_draft",
    )

    assert isinstance(second, DraftChanged)
    assert (first.content, second.stored.content) == ("TWO", "TWO")


def test_a_draft_that_changes_while_it_is_deleted(manager, draft):
    edited, deleted = interleave(
        edit(manager, draft),
        lambda: delete_draft(manager, draft.pk, version=1),
        at=f"{DRAFTS}.require_own_draft",
    )

    assert isinstance(deleted, DraftChanged)
    assert Notification.objects.get() == edited


def test_an_edit_of_a_draft_that_is_being_deleted_keeps_its_text(
    manager, draft, log_in
):
    client = log_in(manager)
    fields = write_fields(groups="g", content="TWO", version="1")

    _, page = interleave(
        lambda: delete_draft(manager, draft.pk, version=1),
        lambda: client.post(f"/write/{draft.pk}/", fields, follow=True),
        at=f"{DRAFTS}.require_own_draft",
    )

    saved = Notification.objects.get()
    assert (saved.content, saved.pk == draft.pk) == ("TWO", False)
    assert [str(message) for message in page.context["messages"]] == [
        "The draft had been thrown away meanwhile. This is a new one."
    ]


def test_a_send_during_a_handover_is_refused(manager, draft):
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")

    _, sent = interleave(
        lambda: hand_over(manager, draft.pk, to=colleague, version=1),
        sending(manager, draft),
        at="notifications.compose.services.handover.receivers_of",
    )

    assert isinstance(sent, PermissionDenied)
    draft.refresh_from_db()
    assert (draft.status, draft.sender) == ("draft", colleague)


def test_a_handover_during_a_send_finds_no_draft(manager, draft):
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")

    sent, handed_over = interleave(
        sending(manager, draft),
        lambda: hand_over(manager, draft.pk, to=colleague, version=1),
        at=f"{SEND}.check_audience",
    )

    assert (sent.status, sent.sender) == ("sending", manager)
    assert isinstance(handed_over, Notification.DoesNotExist)


# --- the audience of a draft is renamed ----------------------------------------------------

PUBLIC = Rule(types=("Public",))
SAVED = Notification.Audience.SAVED
KEEP = "notifications.audiences.saved.keep_version"


@pytest.fixture
def rename(manager):
    """The rename of the audience "Old"; a draft uses it from the start."""
    make_group(group_id="g", name="Hikers")
    audience = saved.save(manager, "Old", PUBLIC)
    save_draft(manager, Draft("ONE", SAVED, ["Old"]))
    administrator = make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    return lambda: saved.save(administrator, "New", PUBLIC, pk=audience.pk)


def edit_of_saved(manager):
    number = Notification.objects.get().pk
    return lambda: save_draft(
        manager,
        Draft("TWO", SAVED, ["Old"], version=1),
        notification_id=number,
    )


def test_an_edit_during_a_rename_of_its_audience_is_refused(manager, rename):
    _, refused = interleave(rename, edit_of_saved(manager), at=KEEP)

    assert isinstance(refused, ValidationError)
    draft = Notification.objects.get()
    assert (draft.content, draft.audience_values, draft.version) == ("ONE", ["New"], 2)
    assert verify().differences == []


def test_a_rename_of_the_audience_during_an_edit(manager, rename):
    edited, renamed = interleave(
        edit_of_saved(manager), rename, at=f"{DRAFTS}.keep_version"
    )

    assert (edited.version, renamed.name) == (2, "New")
    draft = Notification.objects.get()
    assert (draft.content, draft.audience_values, draft.version) == ("TWO", ["New"], 3)
    assert DraftVersion.objects.count() == 3
    assert verify().differences == []


def test_a_new_draft_during_a_rename_of_its_audience(manager, rename):
    def save():
        return save_draft(manager, Draft("TWO", SAVED, ["Old"]))

    new, _ = interleave(save, rename, at=f"{DRAFTS}._insert_or_lock")

    new.refresh_from_db()
    assert (new.audience_values, new.version) == (["New"], 2)
    assert verify().differences == []


def test_a_send_and_a_rename_of_its_audience(manager, rename):
    draft = Notification.objects.get()

    sent, renamed = interleave(
        sending(manager, draft), rename, at=f"{CREATE}.insert_deliveries"
    )

    assert (sent.audience_values, renamed.name) == (["Old"], "New")
    assert Notification.objects.get().version == 1
    assert verify().differences == []


def test_a_send_during_a_rename_of_its_audience_is_refused(manager, rename):
    draft = Notification.objects.get()

    _, refused = interleave(rename, sending(manager, draft), at=KEEP)

    assert isinstance(refused, ChangedSinceCheck)
    assert Notification.objects.get().status == "draft"
