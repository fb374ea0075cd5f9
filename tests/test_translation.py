"""The Chinese catalogue: complete, compiled, and with the same placeholders."""

import re

import polib
import pytest

from notifications import permissions
from tests.environment import ROOT
from tests.factories import make_delivery, make_notification, make_user

pytestmark = pytest.mark.one_database

CATALOGUE = ROOT / "notifications" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def test_every_text_is_translated_with_its_placeholders():
    for entry in polib.pofile(CATALOGUE):
        wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        assert (entry.msgid, entry.fuzzy) == (entry.msgid, False)
        assert all(texts(entry)), entry.msgid
        for text in texts(entry):
            assert set(PLACEHOLDER.findall(text)) == wanted, entry.msgid


def test_the_compiled_catalogue_is_the_present_one():
    compiled = {
        (entry.msgctxt, entry.msgid): texts(entry)
        for entry in polib.mofile(CATALOGUE.with_suffix(".mo"))
    }

    assert compiled == {(e.msgctxt, e.msgid): texts(e) for e in polib.pofile(CATALOGUE)}


@pytest.mark.django_db
def test_a_page_in_chinese(log_in):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    notification = make_notification(sender=manager, status="completed")
    make_delivery(notification, status="failed")
    client = log_in(manager)
    client.post("/language/setlang/", {"language": "zh-hans"})

    page = client.get(f"/sent/{notification.pk}/")

    assert page.context["headline"] == (
        "已完成：共 1 个群，腾讯受理 0 个，失败 1 个，未确认 0 个。"
    )
    assert "该群已不存在。" in page.content.decode()
