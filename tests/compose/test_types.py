"""Newer names of group types beside the old, and Community, on all pages."""

import io
import re
import zipfile
from html import unescape

import pytest

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery.worker import SendWorker
from notifications.models import GroupType
from notifications.rate_limit.clock import engine_clock
from notifications.record.sealing import seal_all
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.one_database

# The type in calls to Tencent, and its name on pages.
WORDS = {
    "Private": "Private (Work)",
    "Public": "Public",
    "ChatRoom": "Chat room (Meeting)",
    "AVChatRoom": "Live room",
    "BChatRoom": "Broadcast",
    "Community": "Community",
}
CITY = "@TGS#_4QKMW7CRXH"


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def work() -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=1,
    ).run()
    seal_all()


def send(user, group_ids, **kwargs):
    draft = make_notification(
        sender=user, audience="chosen", audience_values=group_ids, **kwargs
    )
    return services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())


def test_what_people_read_for_each_word_of_tencent():
    assert {value: str(label) for value, label in GroupType.choices} == WORDS


@pytest.mark.django_db(transaction=True)
def test_a_community_from_choosing_it_to_the_evidence(sandbox, log_in):
    """It accepts all members and named members; each page shows its name."""
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id=CITY, name="City runners", type="Community")
    client, auditor = log_in(manager), log_in(make_user(superuser=True, username="a"))
    draft = make_notification(
        sender=manager, audience="chosen", audience_values=[CITY], recipients="anna"
    )
    assert client.get("/write/groups/", {"q": "city"}).json()["groups"][0] == {
        "id": CITY,
        "name": "City runners",
        "type": "Community",
        "problem": "",
    }
    assert "City runners Community ·" in words(client.get(f"/write/{draft.pk}/check/"))

    to_one = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    to_all = send(manager, [CITY])
    work()

    calls = sandbox.journal.calls_for(CITY)
    assert sorted((call.recipients, call.error_code) for call in calls) == [
        ((), 0),
        (("anna",), 0),
    ]
    for sent in (to_one, to_all):
        row = sent.deliveries.get()
        assert (row.status, row.group_type) == ("accepted", "Community")
        page = auditor.get(f"/history/deliveries/{row.pk}/")
        assert f"City runners · Community · {CITY}" in words(page)
    listed = auditor.get("/history/deliveries/", {"type": "Community"})
    assert len(listed.context["rows"]) == 2
    assert [
        (row.label, row.count.ended) for row in auditor.get("/").context["types"]
    ] == [("Community", 2)]
    groups = words(auditor.get("/notifications/chatgroup/", {"type": "Community"}))
    assert "City runners" in groups
    downloaded = auditor.post("/history/deliveries/download/", {"format": "csv"})
    text = b"".join(downloaded).decode()
    assert text.count("City runners,Community,") == 2
    bundle = b"".join(auditor.post(f"/sent/{to_one.pk}/evidence/"))
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        (name,) = [name for name in files.namelist() if name.endswith("index.html")]
        assert f"Community · {CITY}" in files.read(name).decode()


@pytest.mark.django_db
def test_the_old_words_are_what_is_kept_and_sent(sandbox, log_in):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="night", name="Night shift", type="Private")
    make_group(group_id="town", name="Town hall", type="ChatRoom")

    sent = send(manager, ["night", "town"])

    kinds = sent.deliveries.order_by("id").values_list("group_type", flat=True)
    assert list(kinds) == ["Private", "ChatRoom"]
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    text = words(client.get("/history/deliveries/"))
    assert "Night shift Private (Work) · night" in text
    assert "Town hall Chat room (Meeting) · town" in text
    offered = dict(
        client.get("/history/deliveries/").context["form"].fields["type"].choices
    )
    assert {value: str(offered[value]) for value in WORDS} == WORDS
