"""Downloading the list of groups, under its filters, as a file that import reads."""

import csv
import io

import pytest
from django.utils import timezone

from notifications import models, permissions
from notifications.groups import export as groups_export
from notifications.groups.importing.plan import plan
from notifications.models import AuditEntry, Label
from tests.factories import MOMENT, make_group, make_user
from tests.group_files import opened

pytestmark = pytest.mark.django_db

DOWNLOAD = "/groups/download/"
LIST = "/notifications/chatgroup/"


def download(client, **filters) -> bytes:
    return b"".join(client.post(DOWNLOAD, filters).streaming_content)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def client(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang"))


def test_the_file(client):
    labelled = make_group(
        group_id="@TGS#1", name="=1+1", type="AVChatRoom", member_count=5
    )
    labelled.labels.set([Label.objects.create(name=name) for name in ("b", "a")])
    make_group(group_id="g", name="G", type="Salon", state="closed", checked_at=MOMENT)

    response = client.post(DOWNLOAD)
    content = b"".join(response.streaming_content)

    day = timezone.localdate()
    assert response["Content-Disposition"] == (
        f'attachment; filename="groups-{day:%Y-%m-%d}.csv"'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows_of(content) == [
        ["group_id", "type", "name", "member_count", "labels", "state", "checked_at"],
        ["'@TGS#1", "AVChatRoom", "'=1+1", "5", "a;b", "in_use", ""],
        ["g", "Salon", "G", "120", "", "closed", "2026-03-02T09:30:00+00:00"],
    ]
    assert plan(opened(content)).unchanged == 2


def test_the_file_holds_what_the_list_shows(client):
    make_group(name="Hikers", group_id="a", type="Public")
    make_group(name="Hikers", group_id="b", type="AVChatRoom")
    make_group(name="Walkers", group_id="c", type="Public")
    filters = {"q": "hik", "type": "Public"}

    page = client.get(LIST, filters).content.decode()
    rows = rows_of(download(client, **filters))

    assert '<input type="hidden" name="q" value="hik">' in page
    assert [row[0] for row in rows[1:]] == ["a"]
    begun, ended = AuditEntry.objects.order_by("id")
    assert (begun.action, begun.actor, begun.detail) == (
        "groups_exported",
        "wang",
        {"format": "csv", "filters": filters, "groups": 1},
    )
    assert (ended.action, ended.detail["rows"]) == ("export_ended", 1)


def test_bad_filters_download_nothing(client):
    make_group()

    response = client.post(DOWNLOAD, {"type": "Nope"}, follow=True)

    assert response.redirect_chain == [(f"{LIST}?type=Nope", 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was downloaded: correct the filters first."
    ]
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_two_queries_a_page_of_groups(count, django_assert_num_queries):
    for number in range(count):
        make_group(name=f"G{number}").labels.add(
            Label.objects.get_or_create(name="East")[0]
        )

    groups = models.ChatGroup.objects.all()
    with django_assert_num_queries(2):
        list(groups_export.pages(groups))
    with django_assert_num_queries(2 * count + 1):  # the last page is empty
        list(groups_export.pages(groups, size=1))


def test_an_empty_list_has_nothing_to_download(client):
    assert DOWNLOAD not in client.get(LIST).content.decode()


def test_who_may_not_see_groups_downloads_nothing(log_in):
    make_group()
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))

    assert client.post(DOWNLOAD).status_code == 403
    assert AuditEntry.objects.count() == 0
