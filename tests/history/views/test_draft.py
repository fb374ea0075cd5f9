"""The saved texts of drafts on the pages of the record and in the evidence."""

import pytest

from notifications import permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.compose.services.drafts import Draft, delete_draft, save_draft
from notifications.history import draft_versions
from notifications.models import Notification
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.fixture
def draft(manager) -> Notification:
    make_group(group_id="g", type="Public")
    make_group(group_id="vip")
    rule = {"types": ["Public"], "exceptions": ["vip"]}
    draft = save_draft(manager, Draft(HOSTILE, "rule", rule, note="CM-1"))
    return save_draft(
        manager,
        Draft("Rain", "chosen", ["g"], ["amy"], version=1),
        notification_id=draft.pk,
    )


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_page_of_a_deleted_draft_is_found_from_its_entries(
    auditor, manager, draft, log_in
):
    address = f"/history/drafts/{draft.pk}/"
    assert auditor.get(address).status_code == 404  # its author goes on writing
    number = draft.pk
    delete_draft(manager, number, version=2)

    trail = text_of(auditor.get("/history/actions/"))
    text = text_of(auditor.get(address))

    assert trail.count(f'href="{address}"') == 3  # two saves and the deletion
    assert "This draft was deleted. It was not sent." in text
    assert "&lt;script&gt;alert(1)" in text
    assert "Types: Public · Except: 1 group (vip)" in text
    assert "Groups I choose: g" in text
    assert "CM-1" in text
    assert text.index("Version 2") < text.index("Version 1")
    assert log_in(manager).get(address).status_code == 403
    assert auditor.get("/history/drafts/999999/").status_code == 404


def test_the_page_of_a_sent_notification_and_its_evidence(auditor, manager, draft):
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    text = text_of(auditor.get(f"/sent/{sent.pk}/"))

    assert "Saved versions of the text" in text
    assert "&lt;script&gt;alert(1)" in text
    assert f'href="/history/drafts/{sent.pk}/"' not in text


def test_one_version_is_the_text_that_was_sent(auditor, manager):
    make_group()
    draft = save_draft(manager, Draft("Rain", "every"))
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )

    assert "Saved versions" not in text_of(auditor.get(f"/sent/{sent.pk}/"))


def test_only_the_newest_versions_are_shown(auditor, manager, draft, monkeypatch):
    monkeypatch.setattr(draft_versions, "MAX_SHOWN", 1)
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )

    text = text_of(auditor.get(f"/history/drafts/{sent.pk}/"))

    assert "The newest 1 of 2 versions." in text
    assert "&lt;script" not in text
    assert "was deleted" not in text
