"""Pages of archived deliveries."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications import permissions
from notifications.models import Archive, Delivery
from tests.factories import make_delivery, make_notification, make_user, seal_ended

pytestmark = pytest.mark.django_db

LIST = "/history/deliveries/"


def archive(folder):
    seal_ended()
    call_command(
        "archive_history", "--before", "2026-03-03", "--to", str(folder), verbosity=0
    )


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.fixture
def archived(tmp_path):
    row = make_notification(status="completed", audience_count=4)
    make_delivery(row, status="accepted")
    make_delivery(row, status="accepted")
    make_delivery(row, status="failed", error_code=10010)
    make_delivery(row, status="unconfirmed")
    row.first = Delivery.objects.earliest("pk").pk
    archive(tmp_path)
    return row


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_result_is_counted_from_the_tallies(auditor, archived):
    page = auditor.get(f"/sent/{archived.pk}/")

    progress = page.context["progress"]
    assert progress.counts == dict.fromkeys(Delivery.Status.values, 0) | {
        "accepted": 2,
        "failed": 1,
        "unconfirmed": 1,
    }
    assert sorted((p.status, p.count, len(p.groups)) for p in progress.problems) == [
        ("failed", 1, 0),
        ("unconfirmed", 1, 0),
    ]
    assert (
        "Finished: Tencent accepted it for 2 of 4 groups; 1 failed, 1 not confirmed."
        in words(page)
    )
    assert "This group no longer exists." in words(page)


def test_the_address_of_a_delivery_says_where_it_is(auditor, archived):
    page = auditor.get(f"{LIST}{archived.first}/")

    assert page.status_code == 404
    assert (
        f"Delivery {archived.first} is not here any more. Look for it in the archive, "
        f"file notification-{archived.pk}.jsonl.gz."
    ) in words(page)


def test_the_address_of_a_delivery_that_never_was(auditor, archived):
    page = auditor.get(f"{LIST}{archived.first + 1000}/")

    assert page.status_code == 404
    assert "Nothing is at this address." in words(page)


def test_without_permission_the_archive_file_is_not_named(log_in, archived):
    client = log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="chen.jie"))

    assert client.get(f"{LIST}{archived.first}/").status_code == 403


def test_the_list_of_an_archived_notification(auditor, archived):
    page = auditor.get(LIST, {"notification": archived.pk})

    assert (
        "The deliveries of this notification are archived (file "
        f"notification-{archived.pk}.jsonl.gz)."
    ) in words(page)


@pytest.mark.parametrize("query", [{}, {"from": "2026-03-02"}, {"status": "failed"}])
def test_the_end_of_the_list(auditor, archived, query):
    make_delivery(status="accepted")

    assert (
        "Older than 2026-03-03 is archived: the deliveries of 1 notification."
        in words(auditor.get(LIST, query))
    )


def test_a_later_period_says_nothing_of_the_archive(auditor, archived):
    assert "archived" not in words(auditor.get(LIST, {"from": "2026-03-03"}))


def test_without_an_archive_nothing_is_said(auditor):
    row = make_delivery(status="accepted")

    for query in ({}, {"notification": row.notification_id}):
        assert "archived" not in words(auditor.get(LIST, query))


def test_the_overview_says_what_it_counts_that_the_lists_lack(auditor, tmp_path):
    sentence = "Deliveries of these days are archived: they are counted here"
    sent = make_notification(status="completed")
    at = timezone.now() - timedelta(days=20)
    make_delivery(sent, status="accepted", created_at=at)
    seal_ended()
    before = words(auditor.get("/?days=30"))
    archive(tmp_path)

    assert Archive.objects.filter(notification=sent).exists()
    assert sentence not in before
    assert sentence in words(auditor.get("/?days=30"))
    assert sentence not in words(auditor.get("/?days=14"))
