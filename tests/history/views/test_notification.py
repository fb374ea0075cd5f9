"""The page of a notification for auditors."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import audit_log, permissions
from notifications.compose.audit_events import SENT
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery.audit_events import RESOLVED, STOPPED
from notifications.models import AuditEntry, ChatGroup, SavedAudience
from notifications.record.audit_events import VERIFIED
from tests.factories import (
    make_archive,
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def page(client, notification) -> str:
    return words(client.get(f"/sent/{notification.pk}/"))


def test_results_by_code_lead_to_their_deliveries(auditor):
    sent = make_notification(status="completed", audience_count=6)
    for status in ("accepted", "accepted", "failed", "unconfirmed", "cancelled"):
        make_delivery(sent, status=status)
    make_delivery(sent, status="failed", error_code=10007)

    for _before_and_after_its_seal in range(2):
        text = page(auditor, sent)
        html = auditor.get(f"/sent/{sent.pk}/").content.decode()

        assert "Accepted Code – Deliveries 2" in text
        assert "Failed Code 10007 The chat service does not permit this" in text
        assert "Failed Code 10010 This group no longer exists." in text
        assert "Not confirmed Code – No answer came in time." in text
        assert "Cancelled Code – Deliveries 1" in text
        links = re.findall(r'href="/history/deliveries/\?([^"]+)">\d', html)
        assert [unescape(link) for link in links] == [
            f"notification={sent.pk}&status=accepted",
            f"notification={sent.pk}&status=failed&code=10007",
            f"notification={sent.pk}&status=failed&code=10010",
            f"notification={sent.pk}&status=unconfirmed&reason=no_answer",
            f"notification={sent.pk}&status=cancelled",
        ]
        if not hasattr(sent, "seal"):
            make_seal(sent)


def test_the_groups_that_were_left_out_and_why(log_in, auditor):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group(type="Public")
    off = make_group(type="Public", name="Old hikers", state="switched_off")
    make_group(type="Public", name="Closed hikers", state="closed")
    make_group(type="AVChatRoom", name="Live", state="closed")
    draft = make_notification(
        sender=manager, audience="rule", audience_values={"types": ["Public"]}
    )
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    off.state = ChatGroup.State.IN_USE  # what happens later changes nothing
    off.save()

    text = page(auditor, sent)

    assert "Every group in use that fitted · 1 group" in text
    assert "Rule: Types Public" in text
    assert "2 groups that did not get it" in text
    assert f"Old hikers · {off.group_id} · Switched off" in text
    assert "· Closed" in text
    assert "Live ·" not in text
    assert sent.checked_digest in text
    entry = AuditEntry.objects.get(action=SENT.word)
    assert entry.detail["left_out_count"] == 2
    assert [row["name"] for row in entry.detail["left_out"]] == [
        "Closed hikers",
        "Old hikers",
    ]


def test_only_a_hundred_are_written_down_by_name(auditor):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name="Plaza", type="Public", state="closed")
        for n in range(101)
    )
    draft = make_notification(sender=manager)
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )

    text = page(auditor, sent)

    assert "Every group that was in use · 1 group" in text
    assert "101 groups that did not get it" in text
    assert "Only the first 100 were written down by name." in text


def test_a_saved_audience_as_it_was(auditor):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    live = make_group(type="AVChatRoom", name="Live")
    saved = SavedAudience.objects.create(
        name="Big <b>", stored_rule={"min_members": 100, "name_contains": "l"}
    )
    draft = make_notification(
        sender=manager,
        audience="saved",
        audience_values=["Big <b>"],
        recipients="anna",
    )
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    saved.delete()

    text = page(auditor, sent)

    assert "The saved audience “Big <b>” · 1 group" in text
    assert "Rule: Name contains l Rule: Members at least 100" in text
    assert f"Live · {live.group_id} · Can only be sent to everyone" in text


def test_groups_that_the_rule_excepts_are_named(auditor):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    make_group(group_id="vip", name="VIP <b>")
    make_group(group_id="gone", name="Gone")
    rule = {"types": ["Public"], "exceptions": ["vip", "gone"]}
    draft = make_notification(sender=manager, audience="rule", audience_values=rule)
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    ChatGroup.objects.filter(group_id="vip").update(name="Renamed")
    older = make_notification(status="completed", audience="rule")
    detail = {"rule": rule, "left_out": [], "left_out_count": 0}
    audit_log.write(SENT, "lin.mei", notification=older.pk, **detail)

    text, older_text = page(auditor, sent), page(auditor, older)

    assert "Rule: Except 2 groups" in text
    assert "Excepted by name 2 groups that the rule names as exceptions" in text
    assert "VIP <b> · vip Gone · gone" in text
    assert "No other group was left out." in text
    assert "No group was left out." not in text + older_text
    assert "exceptions vip gone" in older_text


def test_what_was_left_out_when_only_states_were_written_down(auditor):
    older = make_notification(status="completed")
    left_out = [{"group_id": "off", "name": "Old club", "state": "switched_off"}]
    audit_log.write(
        SENT, "lin.mei", notification=older.pk, left_out=left_out, left_out_count=1
    )

    text = page(auditor, older)

    assert "Old club · off · Switched off" in text


def test_no_group_left_out_and_not_known(auditor):
    known = make_notification(status="completed")
    audit_log.write(
        SENT, "lin.mei", notification=known.pk, left_out=[], left_out_count=0
    )
    older = make_notification(status="completed")
    audit_log.write(SENT, "lin.mei", notification=older.pk, groups=1)
    chosen = make_notification(status="completed", audience="chosen")

    assert "No group was left out." in page(auditor, known)
    assert "Not known: it was sent before this was written down." in page(
        auditor, older
    )
    assert "Left out" not in page(auditor, chosen)


def test_who_did_what_in_their_order(auditor):
    sent = make_notification(status="completed")
    doubt = make_delivery(sent, status="unconfirmed")
    audit_log.write(SENT, "lin.mei", notification=sent.pk, groups=1)
    audit_log.write(
        RESOLVED,
        "chen.jie",
        notification=sent.pk,
        delivery=doubt.pk,
        note="Anna saw it",
    )
    audit_log.write(STOPPED, "zhao", notification=sent.pk + 1)

    text = page(auditor, sent)

    sent_at, resolved_at = text.index("Sent it to 1 group."), text.index("Anna saw it")
    assert sent_at < resolved_at
    assert f"Delivery {doubt.pk}" in text
    assert "zhao" not in text


def test_sent_by_a_superuser(auditor):
    plain = make_notification(status="completed")
    marked = make_notification(status="completed", by_superuser=True)

    sentence = "Sent by lin.mei, who may do everything."
    assert sentence in page(auditor, marked)
    assert sentence not in page(auditor, plain)


def test_from_no_seal_to_verified(auditor):
    sent = make_notification(status="completed")
    make_delivery(sent, status="accepted")

    assert "Not sealed yet: nothing vouches for it until then." in page(auditor, sent)

    seal = make_seal(sent)
    text = page(auditor, sent)
    assert f"seal {seal.number} Head {seal.head}" in text
    assert f"Digest {seal.digest}" in text
    assert "Last verified Not since it was sealed." in text

    verified(seal, unchanged=True)
    assert "UTC · unchanged" in page(auditor, sent)

    verified(seal, unchanged=False, differences=["delivery 7 was changed."])
    text = page(auditor, sent)
    assert "The record was found changed: delivery 7 was changed." in text


def verified(seal, **detail) -> None:
    values = {"only": None, "since": None, "differences": [], "seals": seal.number}
    values |= {"archived": 0} | detail
    audit_log.write(VERIFIED, "verify_history", **values)


@pytest.mark.parametrize(
    ("detail", "has_read"),
    [
        ({}, True),
        ({"only": "this"}, True),
        ({"only": "another"}, False),
        ({"since": "before"}, True),
        ({"since": "after"}, False),
        ({"seals": 0}, False),
        ({"archived": 1}, True),
    ],
)
def test_a_verification_of_something_else_does_not_count(auditor, detail, has_read):
    sent = make_notification(status="completed")
    seal = make_seal(sent)
    values = {
        "this": sent.pk,
        "another": sent.pk + 1,
        "before": (seal.sealed_at - timedelta(days=1)).isoformat(),
        "after": (seal.sealed_at + timedelta(days=1)).isoformat(),
    }
    verified(seal, unchanged=True, **{k: values.get(v, v) for k, v in detail.items()})

    text = page(auditor, sent)

    assert ("UTC · unchanged" in text) is has_read
    assert ("Not since it was sealed." in text) is not has_read


def test_before_its_end_and_after_its_archiving(auditor):
    running = make_notification(status="sending")
    archived = make_notification(status="completed")
    make_delivery(archived, status="accepted")
    make_seal(archived)
    make_archive(archived, file_name="n.jsonl.gz")

    assert "It is sealed when it has ended." in page(auditor, running)
    text = page(auditor, archived)
    assert "· n.jsonl.gz" in text
    verified(archived.seal, unchanged=True, archived=1)
    assert "Last verified Not since it was sealed." in page(auditor, archived)
    verified(archived.seal, unchanged=True)
    assert "UTC · unchanged" in page(auditor, archived)
    html = auditor.get(f"/sent/{archived.pk}/").content.decode()
    assert "status=accepted" not in html  # nothing is there to be listed


def test_the_button_is_for_those_who_may_download(log_in, auditor):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    sent = make_notification(status="completed", sender=manager)
    make_seal(sent)

    assert "Download the evidence" in page(auditor, sent)
    assert "Download the evidence" not in page(log_in(manager), sent)


def test_a_sender_who_may_not_see_the_history_sees_the_result_only(log_in):
    sender = make_user()
    sender.user_permissions.add(*permissions.permission_rows([permissions.SEND]))
    sent = make_notification(status="completed", sender=sender)

    text = page(log_in(sender), sent)

    assert "Message" in text
    assert not {"Who it was for", "What was done with it", "Seal"} & set(
        re.findall(r"Who it was for|What was done with it|Seal", text)
    )


def test_as_many_queries_with_three_of_everything_as_with_one(auditor):
    counts = []
    for times in (1, 3):
        sent = make_notification(status="completed", audience_count=times)
        for _n in range(times):
            row = make_delivery(sent, status="unconfirmed")
            audit_log.write(
                RESOLVED, "lin.mei", notification=sent.pk, delivery=row.pk, note="x"
            )
            make_notification(status="completed", resend_of=sent)
        verified(make_seal(sent), unchanged=True)
        with CaptureQueriesContext(connection) as queries:
            auditor.get(f"/sent/{sent.pk}/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_delivery_tells_its_seal_and_what_was_sent_again(auditor):
    group = make_group()
    first = make_notification(status="completed")
    failed = make_delivery(first, group, status="failed")
    make_delivery(first, status="accepted")
    again = make_notification(status="completed", resend_of=first)
    accepted = make_delivery(again, group, status="accepted")
    seal = make_seal(first)

    before = words(auditor.get(f"/history/deliveries/{failed.pk}/"))
    after = words(auditor.get(f"/history/deliveries/{accepted.pk}/"))

    assert f"Sent again as Notification {again.pk} · Accepted Seal" in before
    assert f"UTC · seal {seal.number} · {seal.head[:12]}" in before
    assert f"Sent again after Notification {first.pk} · Failed Seal" in after
    assert "Seal Not sealed yet" in after


def test_the_way_back_keeps_the_filters_of_the_list(log_in):
    make_notification(status="completed", content="Friday notice")
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    listed = client.get("/history/?q=Friday&status=completed&x=1").content.decode()
    (address,) = re.findall(r'href="(/sent/[^"]+)"', listed)

    page = client.get(unescape(address) + "&y=2").content.decode()

    assert 'href="/history/?q=Friday&amp;status=completed"' in page
