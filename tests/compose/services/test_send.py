"""Send, pause, continue and stop: changes, audit entries and permissions."""

import hashlib
import json
from datetime import UTC, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from notifications import permissions
from notifications.compose.checked import ChangedSinceCheck, checked_of
from notifications.compose.services import create_deliveries
from notifications.compose.services import send as services_send
from notifications.compose.services.create_deliveries import insert_deliveries
from notifications.compose.services.send import SendTimes
from notifications.models import AuditEntry, ChatGroup, Delivery, Notification
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db


def draft_for(manager, *groups, **kwargs) -> Notification:
    return make_notification(
        sender=manager,
        audience="chosen",
        audience_values=[group.group_id for group in groups],
        **kwargs,
    )


def send(user, draft, digest=None) -> Notification:
    digest = digest or checked_of(user, draft).digest()
    return services_send.send(user, draft.pk, digest=digest)


def test_sending_makes_a_row_per_group_and_starts(manager):
    live = make_group(group_id="live", name="直播间", type="AVChatRoom")
    hikers = make_group(group_id="hikers", name="Hikers", type="Public")
    draft = draft_for(manager, hikers, live)

    sent = send(manager, draft)

    assert (sent.pk, sent.status, sent.audience_count) == (draft.pk, "sending", 2)
    assert sent.sent_at is not None
    assert list(
        sent.deliveries.order_by("id").values_list(
            "group_id",
            "group_name",
            "group_type",
            "sender_name",
            "recipients",
            "status",
        )
    ) == [
        ("hikers", "Hikers", "Public", "lin.mei", "", "queued"),
        ("live", "直播间", "AVChatRoom", "lin.mei", "", "queued"),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.notification_number) == (
        "sent",
        "lin.mei",
        sent.pk,
    )


def test_recipients_go_out_in_portions(manager, settings):
    settings.IM_RECIPIENTS_PER_CALL = 2
    draft = draft_for(manager, make_group(), recipients="a\nb\nc\nd\ne")

    send(manager, draft)

    rows = draft.deliveries.order_by("portion").values_list("portion", "recipients")
    assert list(rows) == [(1, "a\nb"), (2, "c\nd"), (3, "e")]


def test_a_second_press_changes_nothing(manager):
    draft = draft_for(manager, make_group(), make_group())
    digest = checked_of(manager, draft).digest()

    first = send(manager, draft, digest)
    second = send(manager, draft, digest)

    assert first.pk == second.pk
    assert Delivery.objects.count() == 2
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"state": "switched_off"},
            "This group is switched off or closed: Hikers. Remove it.",
        ),
        (
            {"state": "closed"},
            "This group is switched off or closed: Hikers. Remove it.",
        ),
        (
            {"type": "AVChatRoom"},
            "Hikers can only be sent to everyone. Remove it, or pick “Everyone in the "
            "group”.",
        ),
        (
            {"type": "Private"},
            "What you checked has changed since, so nothing was sent. Look again, then "
            "send.",
        ),
        ({"group_id": "new"}, "This ID is not in the list of groups: hikers"),
    ],
)
def test_a_group_that_changed_since_check_is_refused(manager, change, sentence):
    hikers = make_group(group_id="hikers", name="Hikers")
    draft = draft_for(manager, hikers, make_group(), recipients="anna")
    digest = checked_of(manager, draft).digest()
    type(hikers).objects.filter(pk=hikers.pk).update(**change)

    with pytest.raises(ValidationError) as refused:
        send(manager, draft, digest)

    assert refused.value.messages == [sentence]
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert Delivery.objects.count() == 0


def test_a_new_group_is_noticed_in_the_audience_every_group(manager):
    make_group()
    draft = make_notification(sender=manager, audience="every")
    digest = checked_of(manager, draft).digest()
    make_group()

    with pytest.raises(ValidationError, match="What you checked has changed"):
        send(manager, draft, digest)


def test_the_rights_are_those_of_the_database(manager):
    draft = draft_for(manager, make_group())
    digest = checked_of(manager, draft).digest()
    assert manager.has_perm(permissions.SEND)  # cached
    User.objects.filter(pk=manager.pk).update(is_active=False)

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        send(manager, draft, digest)


def test_only_its_sender_sends_a_draft(manager):
    draft = draft_for(manager, make_group())
    auditor = make_user(permissions.AUDITOR, username="wang.fang")
    others = [
        make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"),
        make_user(username="chief", superuser=True),
    ]

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        send(auditor, draft)
    for other in others:
        with pytest.raises(PermissionDenied, match=r"a draft of lin\.mei"):
            send(other, draft)

    draft.refresh_from_db()
    assert (draft.status, draft.sender) == ("draft", manager)


def test_the_person_who_presses_send_is_the_sender(manager):
    writer = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    draft = draft_for(
        manager,
        make_group(),
        sender_name="name before a change",
        written_by=writer,
        written_by_name="j.okafor",
    )

    send(manager, draft)

    draft.refresh_from_db()
    assert (draft.sender, draft.sender_name) == (manager, "lin.mei")
    assert (draft.written_by, draft.written_by_name) == (writer, "j.okafor")
    assert draft.deliveries.get().sender_name == "lin.mei"
    assert AuditEntry.objects.get().detail["written_by"] == "j.okafor"


@pytest.mark.parametrize(
    "change",
    [
        {"content": "TEXT TWO"},
        {"note": "CM-2"},
        {"recipients": ""},
        {"recipients": "anna\nli"},
        {"audience": "every", "recipients": ""},
        {"written_by_name": "j.okafor"},
    ],
)
def test_a_draft_that_changed_since_check_is_refused(manager, change):
    draft = draft_for(manager, make_group(), content="TEXT ONE", recipients="anna")
    digest = checked_of(manager, draft).digest()
    Notification.objects.filter(pk=draft.pk).update(**change)

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft, digest)

    draft.refresh_from_db()
    assert (draft.status, draft.deliveries.count()) == ("draft", 0)


def test_a_renamed_group_is_refused(manager):
    hikers = make_group(name="Hikers")
    draft = draft_for(manager, hikers)
    digest = checked_of(manager, draft).digest()
    type(hikers).objects.update(name="Runners")

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft, digest)


def test_a_group_renamed_while_the_rows_are_made_is_refused(manager, monkeypatch):
    hikers = make_group(name="Hikers")
    draft = draft_for(manager, hikers)

    def insert(*arguments, **options):
        type(hikers).objects.update(name="Runners")
        return insert_deliveries(*arguments, **options)

    monkeypatch.setattr(create_deliveries, "insert_deliveries", insert)

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft)


def test_a_group_that_is_newly_left_out_is_refused(manager):
    make_group()
    draft = make_notification(sender=manager, audience="every")
    digest = checked_of(manager, draft).digest()
    make_group(state="closed")

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft, digest)


def test_the_recorded_digest_can_be_computed_from_the_record(manager):
    """As docs/auditing.md describes it."""
    make_group(group_id="a", name="Hikers")
    make_group(group_id="B", name="直播间")
    make_group(group_id="c", name="Old club", state="closed")
    draft = make_notification(
        sender=manager, audience="every", content="明天见", note="CM-1"
    )
    start = timezone.now().replace(microsecond=120_000) + timedelta(hours=1)
    services_send.send(
        manager,
        draft.pk,
        digest=checked_of(manager, draft).digest(),
        when=SendTimes(start=start),
    )
    sent = Notification.objects.get()
    entry = AuditEntry.objects.get()

    def sha256(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    rows = sent.deliveries.values_list("group_id", "group_type", "group_name")
    groups = sha256("\n".join(sorted("\t".join(row) for row in rows)))
    out = [
        (row["group_id"], row["reason"], row["name"])
        for row in entry.detail["left_out"]
    ]
    left_out = sha256("\n".join(sorted("\t".join(row) for row in out)))
    values = {
        "message": "明天见",
        "note": "CM-1",
        "members": None,
        "channel": "system_notification",
        "options": {},
        "audience": "every",
        "audience_values": [],
        "rule": None,
        "excepted": sha256(""),
        "written_by": "lin.mei",
        "sender": "lin.mei",
        "by_superuser": False,
        "groups": groups,
        "left_out": left_out,
        "start": start.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.12Z"),
        "not_after": None,
    }
    line = json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert sent.checked_digest == entry.detail["digest"] == sha256(line + "\n")
    assert entry.detail["groups_digest"] == groups
    assert entry.detail["left_out_digest"] == left_out


def test_an_entry_is_small_and_covers_all_excluded_groups(manager):
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"@TGS#{n:043}", name="群" * 20, type="Public", state=state)
        for n, state in enumerate(["in_use"] * 501 + ["closed"] * 1000)
    )
    excepted = [f"@TGS#{n:043}" for n in range(500)]
    rule = {"types": ["Public"], "exceptions": excepted}
    draft = make_notification(sender=manager, audience="rule", audience_values=rule)

    send(manager, draft, checked_of(manager, draft).digest())

    detail = AuditEntry.objects.get().detail
    # The rule, with 500 IDs, is the only copy of that of a saved audience.
    assert len(json.dumps(detail)) < 100_000
    assert len(json.dumps(detail, ensure_ascii=False).encode()) < 70_000
    assert (len(detail["excepted"]), detail["excepted_count"]) == (100, 500)
    assert (len(detail["left_out"]), detail["left_out_count"]) == (100, 1000)
    lines = "\n".join(sorted(f"{group_id}\t{'群' * 20}" for group_id in excepted))
    assert detail["excepted_digest"] == hashlib.sha256(lines.encode()).hexdigest()
    assert detail["rule"] == rule


@pytest.mark.parametrize("count", [1, 3])
def test_sending_takes_one_number_of_queries(manager, count, django_assert_num_queries):
    draft = draft_for(manager, *[make_group() for _n in range(count)])
    digest = checked_of(manager, draft).digest()
    user = type(manager).objects.get(pk=manager.pk)

    # On PostgreSQL, one more query wakes the workers; on SQLite, two more count the groups.
    with django_assert_num_queries(19 if connection.vendor == "sqlite" else 18):
        send(user, draft, digest)


def test_a_send_can_wait_for_its_time(manager):
    draft = draft_for(manager, make_group())
    start = timezone.now() + timedelta(hours=1)
    end = start + timedelta(hours=2)

    services_send.send(
        manager,
        draft.pk,
        digest=checked_of(manager, draft).digest(),
        when=SendTimes(start=start, not_after=end),
    )

    draft.refresh_from_db()
    assert (draft.status, draft.scheduled_for, draft.not_after, draft.sent_at) == (
        "scheduled",
        start,
        end,
        None,
    )
    assert draft.deliveries.count() == 1
    entry = AuditEntry.objects.get()
    assert entry.action == "scheduled"
    assert entry.detail["start"] == start.isoformat()


def test_a_time_that_is_over_leaves_the_draft_alone(manager):
    draft = draft_for(manager, make_group())

    with pytest.raises(ValidationError) as caught:
        services_send.send(
            manager,
            draft.pk,
            digest=checked_of(manager, draft).digest(),
            when=SendTimes(start=timezone.now() - timedelta(minutes=1)),
        )

    assert list(caught.value.message_dict) == ["start"]
    draft.refresh_from_db()
    assert (draft.status, draft.deliveries.count()) == ("draft", 0)


def test_a_draft_with_deliveries_that_were_inserted_by_sql_is_refused(manager):
    draft = draft_for(manager, make_group())
    make_delivery(draft, make_group(group_id="vip"), portion=2)

    with pytest.raises(ValidationError, match="sending did not create"):
        send(manager, draft)


def test_a_line_feed_in_a_name_is_no_second_group(manager):
    one = make_group(group_id="a", name="Hikers\nb\tPublic\tRunners")
    draft = draft_for(manager, one)
    shown = checked_of(manager, draft)
    assert shown.groups.count == 1
    type(one).objects.filter(pk=one.pk).update(name="Hikers")
    second = make_group(group_id="b", name="Runners")
    draft.audience_values = ["a", second.group_id]
    draft.save()

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft, shown.digest())


def test_an_excepted_group_that_was_renamed_is_refused(manager):
    make_group()
    lounge = make_group(group_id="vip", name="VIP lounge")
    rule = {"types": ["Public"], "exceptions": ["vip"]}
    draft = make_notification(sender=manager, audience="rule", audience_values=rule)
    digest = checked_of(manager, draft).digest()
    type(lounge).objects.filter(pk=lounge.pk).update(name="Staff room")

    with pytest.raises(ChangedSinceCheck):
        send(manager, draft, digest)
