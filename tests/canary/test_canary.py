"""A recognisable secret passes through the application and appears nowhere.

The test uses a unique key and records every UserSig: sending with all outcomes, a
refused signature, a closed port, a crash in a sender thread, a failing page, exports,
checks. Then it searches all output: every column of every table, logs, pages with their
headers, tracebacks, exports.
"""

import io
import re
import traceback
import zipfile
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from notifications import permissions
from notifications.delivery.threads import TooManyDeaths
from notifications.models import Seal
from notifications.tencent import user_sig
from tests.canary.places import Canary
from tests.canary.scene import closed_port, dump, run_everything, send_to_all, work
from tests.factories import (
    make_notification,
    make_user,
    write_fields,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def test_what_is_written_and_exported(canary, settings, tmp_path):
    run_everything(settings, canary, make_user(permissions.COMMUNITY_MANAGER))

    canary.keep("database", dump())
    for kind in ("jsonl", "csv"):
        out = io.StringIO()
        call_command("export_history", "--format", kind, stdout=out)
        assert "lin.mei" in out.getvalue()
        canary.keep(f"export {kind}", out.getvalue())


def test_what_is_downloaded(canary, settings):
    sender = make_user(permissions.COMMUNITY_MANAGER)
    run_everything(settings, canary, sender)
    client = Client()
    client.force_login(make_user(superuser=True, username="admin"))
    sealed = Seal.objects.exclude(notification=None).latest("id").notification

    def download(path: str, **fields: str) -> bytes:
        response = client.post(path, fields)
        content = b"".join(response.streaming_content)
        canary.keep(path, f"{response.headers}\n{content.decode(errors='replace')}")
        return content

    for path in ("/history/deliveries/download/", "/history/actions/download/"):
        for kind in ("csv", "jsonl"):
            assert b"lin.mei" in download(path, format=kind)
    assert "Plaza" in download("/groups/download/").decode()
    evidence = download(f"/sent/{sealed.pk}/evidence/")
    with zipfile.ZipFile(io.BytesIO(evidence)) as bundle:
        for name in bundle.namelist():
            text = bundle.read(name).decode(errors="replace")
            canary.keep(name, f"{name}\n{text}")
    assert any("index.html" in place for place in canary.searched)


def test_every_page(canary, settings):
    """Follow every link from the overview as a user with all permissions."""
    sender = make_user(permissions.COMMUNITY_MANAGER)
    run_everything(settings, canary, sender)
    make_notification(sender=sender)
    client = Client()
    client.force_login(make_user(superuser=True, username="admin"))
    waiting, seen = ["/"], {"/"}
    visits: Counter[str] = Counter()
    while waiting:
        path = waiting.pop()
        visits[shape(path)] += 1
        response = client.get(path)
        text = b"".join(response) if response.streaming else response.content
        canary.keep(
            f"page {path}", f"{response.headers}\n{text.decode(errors='replace')}"
        )
        links = re.findall(r'href="([^"#]*)', text.decode(errors="replace"))
        for found in links:
            own = path.partition("?")[0] if found.startswith("?") else ""
            link = own + found.replace("&amp;", "&")
            if (
                link.startswith("/")
                and not link.startswith(("/static/", "/logout"))
                and link not in seen
                # A few of the pages that differ only in their filters are enough.
                and visits[shape(link)] < 6
            ):
                seen.add(link)
                waiting.append(link)

    assert len(visits) >= 12, sorted(visits)


def shape(path: str) -> str:
    return re.sub(r"\d+", "N", path.partition("?")[0])


def test_members_that_are_checked(canary, settings):
    """With the right key, a wrong key, a closed port, and an incomplete answer."""
    client = Client()
    client.force_login(make_user(permissions.COMMUNITY_MANAGER))
    fields = write_fields(
        groups="ok gone", members="named", recipients="anna", check_members="1"
    )

    def check(place: str) -> str:
        response = client.post("/write/", fields)
        said = response.context["members_checked"][0].sentence
        canary.keep(place, f"{response.headers}\n{response.content.decode()}")
        return str(said)

    assert check("checked") == "Not in “广场 Plaza”: anna."
    settings.IM_SECRET_KEY = canary.keys[1]
    assert "(70009)" in check("wrong key")
    settings.IM_SECRET_KEY = canary.keys[0]
    address, settings.IM_BASE_URL = settings.IM_BASE_URL, closed_port()
    assert "refused the connection" in check("nobody there")
    settings.IM_BASE_URL = address
    canary.server.fail_next("get_specified_group_member_info", "truncated")
    assert "broke before the answer came" in check("half an answer")
    canary.keep("database", dump())
    assert len(canary.user_sigs) == 3  # none for the closed port


def test_a_crash_in_a_sender_thread(canary, monkeypatch):
    def crash(*_args, **_kwargs):
        raise RuntimeError("The answer could not be read.")

    monkeypatch.setattr("notifications.tencent.client.parse_response", crash)
    send_to_all(make_user(permissions.COMMUNITY_MANAGER))

    with pytest.raises(TooManyDeaths) as crashed:
        work()

    canary.keep("traceback", "".join(traceback.format_exception(crashed.value)))
    canary.keep("database", dump())
    assert len(canary.user_sigs) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"IM_SDK_APP_ID": "x"},
        {"IM_ADMIN_ACCOUNT": "two words"},
        {"IM_BASE_URL": "http://im.example.com"},
        {"IM_CALLS_PER_SECOND": 0},
        {"IM_PROXY_URL": "no proxy"},
    ],
)
def test_checks_and_refusals(canary, settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)

    for command in (["check"], ["check", "--deploy"], ["send_worker"]):
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises((CommandError, SystemExit)) as refused:
            call_command(*command, stdout=out, stderr=err)
        canary.keep(
            " ".join(command), f"{refused.value}{out.getvalue()}{err.getvalue()}"
        )
        canary.keep("traceback", "".join(traceback.format_exception(refused.value)))
    assert canary.user_sigs == []


def test_the_search_itself_finds_what_it_looks_for():
    found = Canary()
    found.user_sigs.append(
        user_sig.make_user_sig(1, found.keys[0], "a", now=1, valid_for=1)
    )
    for number, secret in enumerate(sorted(found.secrets())):
        found.keep(str(number), f"before {secret} behind")
    found.keep("clean", "nothing")

    assert "clean" not in found.places_with_a_secret()
    assert len(found.places_with_a_secret()) == len(found.searched) - 1 >= 4
