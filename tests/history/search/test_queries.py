"""Rows that match the filters."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from notifications.history.search import queries as search_queries
from notifications.history.search.facets import facets
from notifications.history.search.filters import DeliveryFilter, NotificationFilter
from notifications.models import ChatGroup
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def numbers(**filters) -> list[int]:
    rows = search_queries.deliveries(DeliveryFilter(**filters), facets().unsealed)
    return [row.pk for row in rows.older(None, 50)]


def test_a_chinese_word_of_two_characters_finds_its_groups():
    live = make_delivery(group=make_group(name="直播间：李姐开播"))
    make_delivery(group=make_group(name="直系亲属"))

    assert numbers(group_ids=search_queries.group_ids_matching("直播")) == [live.pk]


def test_a_former_name_and_the_id_of_a_group_that_is_gone():
    group = make_group(group_id="hikers", name="Weekend hikers")
    row = make_delivery(group=group)
    group.rename("Night walkers")
    group.save()
    gone = make_group(group_id="@TGS#gone")
    lost = make_delivery(group=gone)
    gone.delete()

    for term in ("weekend", "NIGHT", "hiker"):
        assert numbers(group_ids=search_queries.group_ids_matching(term)) == [row.pk]
    assert numbers(group_ids=search_queries.group_ids_matching("@TGS#gone")) == [
        lost.pk
    ]


def test_a_name_taken_back_is_remembered_once():
    group = make_group(name="A")
    for name in ("B", "A", "B", "B", "C"):
        group.rename(name)

    assert (group.name, group.former_names) == ("C", "A\nB")


def test_more_than_five_hundred_groups_are_too_many():
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name="Plaza", type="Public") for n in range(501)
    )
    with pytest.raises(search_queries.TooManyGroups):
        search_queries.group_ids_matching("plaza")
    ChatGroup.objects.get(group_id="g7").delete()

    assert len(search_queries.group_ids_matching("plaza")) == 501  # and the term itself


def test_both_days_of_a_period_count_in_the_current_time_zone():
    times = [MIDNIGHT + timedelta(hours=hours) for hours in (-9, -8, 0, 15, 16, 39, 40)]
    rows = [make_delivery(created_at=at).pk for at in times]

    with timezone.override("Asia/Shanghai"):
        ids = numbers(since=date(2026, 3, 2), until=date(2026, 3, 3))
        one_day = numbers(since=date(2026, 3, 2), until=date(2026, 3, 2))

    assert ids == rows[5:0:-1]
    assert one_day == rows[3:0:-1]


def test_rows_written_out_of_order_are_in_their_period():
    """Two simultaneous sends, whose ids and times differ in order by under an hour."""
    late = make_delivery(created_at=MIDNIGHT + timedelta(minutes=20))
    early = make_delivery(created_at=MIDNIGHT - timedelta(minutes=20))
    next_day = make_delivery(created_at=MIDNIGHT + timedelta(days=1, minutes=20))
    evening = make_delivery(created_at=MIDNIGHT + timedelta(hours=23, minutes=50))

    assert numbers(since=date(2026, 3, 2)) == [evening.pk, next_day.pk, late.pk]
    assert numbers(until=date(2026, 3, 2)) == [evening.pk, early.pk, late.pk]


def test_each_filter_alone_and_two_together():
    failed = make_delivery(status="failed", group=make_group(type="AVChatRoom"))
    silent = make_delivery(status="unconfirmed")
    other = make_notification(sender=make_user(username="j.okafor"), status="sending")
    accepted = make_delivery(other, status="accepted")

    assert numbers() == [accepted.pk, silent.pk, failed.pk]
    assert numbers(status="accepted") == [accepted.pk]
    assert numbers(group_type="AVChatRoom") == [failed.pk]
    assert numbers(sender="j.okafor") == [accepted.pk]
    assert numbers(code=10010) == [failed.pk]
    assert numbers(reason="no_answer") == [silent.pk]
    assert numbers(notification=silent.notification_id) == [silent.pk]
    assert numbers(status="failed", group_type="Public") == []


def test_rows_of_a_draft_are_no_history():
    make_delivery(make_notification(status="draft"))

    assert numbers() == []


def test_notifications_by_text_note_day_state_and_sender():
    me, other = make_user(), make_user(username="j.okafor")
    sent = make_notification(sender=me, status="completed", content="明天直播")
    running = make_notification(sender=other, status="sending", note="CM-77")
    draft = make_notification(sender=me)
    make_notification(sender=other)

    def matching(**filters) -> list[int]:
        rows = search_queries.notifications(NotificationFilter(**filters), me.pk)
        return [row.pk for row in rows]

    assert matching() == [draft.pk, running.pk, sent.pk]
    assert matching(text="直播") == [sent.pk]
    assert matching(text="cm-77") == [running.pk]
    assert matching(status="draft") == [draft.pk]
    assert matching(sender="j.okafor") == [running.pk]
    assert matching(since=date(2026, 3, 2), until=date(2026, 3, 2)) == [
        running.pk,
        sent.pk,
    ]
    assert matching(since=date(2026, 3, 3)) == matching(until=date(2026, 3, 1)) == []


def test_problems_are_counted_for_the_notifications_shown_only():
    shown = make_notification(status="completed")
    fine = make_notification(status="completed")
    hidden = make_notification(status="completed")
    for status in ("failed", "failed", "unconfirmed", "accepted"):
        make_delivery(shown, status=status)
    make_delivery(fine, status="accepted")
    make_delivery(hidden, status="failed")

    assert search_queries.problems_of([shown, fine]) == {
        shown.pk: {"failed": 2, "unconfirmed": 1}
    }
