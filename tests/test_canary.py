"""A secret that can be recognised goes through everything, and is found nowhere.

The whole path runs with a key of its own while every UserSig made is written down:
sending with all outcomes, a refused signature, nobody there, a crash in a sender
thread, a failing page, exports, checks. Then all that is left behind is searched:
every column of every table, logs, pages with their heads, tracebacks, exports.
"""

import io
import logging
import re
import secrets
import socket
import traceback
from collections import Counter
from urllib.parse import quote_plus

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from notifications import conf, roles
from notifications.admin import site as admin_site
from notifications.delivery.worker import SendWorker
from notifications.im import user_sig
from notifications.im.user_sig import read_user_sig
from notifications.models import Attempt, Notification
from notifications.pacing.clock import engine_clock
from notifications.sandbox.protocol import Account
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.selectors.audiences import audience_of
from notifications.services import controls, sending
from tests.factories import (
    make_group,
    make_notification,
    make_user,
    write_fields,
)

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS = {
    "ok": "",
    "gone": "code:10010",
    "busy": "code_times:60007:1",
    "lost": "reset_after",
    "odd": "html",
    "moved": "redirect",
    "proxy": "status_502",
}


class Canary:
    """The secrets that were in use, and the places that were searched."""

    server: SandboxServer

    def __init__(self) -> None:
        self.keys = [secrets.token_hex(32), secrets.token_hex(32)]
        self.user_sigs: list[str] = []
        self.searched: dict[str, str] = {}

    def secrets(self) -> set[str]:
        found = set(self.keys)
        for made in self.user_sigs:
            signature = read_user_sig(made)["TLS.sig"]
            # Its beginning is the same for all: no secret. Its end is.
            found |= {made, made[-40:], signature}
        return found | {quote_plus(secret) for secret in found}

    def keep(self, place: str, text: str) -> None:
        assert text, place
        self.searched[place] = self.searched.get(place, "") + text

    def places_with_a_secret(self) -> list[str]:
        return [
            place
            for place, text in self.searched.items()
            if any(secret in text for secret in self.secrets())
        ]


@pytest.fixture
def logs():
    """All that any logger says, at the level DEBUG, with tracebacks."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.debug("begin")
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def canary(monkeypatch, settings, logs):
    found = Canary()
    make = user_sig.make_user_sig

    def make_and_note(*args, **kwargs):
        made = make(*args, **kwargs)
        found.user_sigs.append(made)
        return made

    monkeypatch.setattr(user_sig, "make_user_sig", make_and_note)
    settings.IM_SECRET_KEY = found.keys[0]
    with SandboxServer(
        SandboxConfig(account=Account(key=found.keys[0]), groups=[])
    ) as server:
        settings.IM_BASE_URL = server.url
        found.server = server
        for group_id, fault in FAULTS.items():
            make_group(group_id=group_id, name="广场 Plaza")
            server.add_group(group_id, "Public", fault=fault)
        yield found
    found.keep("logs", logs.getvalue())
    assert found.places_with_a_secret() == []


def work() -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=4,
    ).run()


def send_to_all(sender) -> Notification:
    draft = make_notification(sender=sender, audience="every")
    return sending.send(sender, draft.pk, digest=audience_of(draft).digest)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def run_everything(settings, canary: Canary, sender) -> None:
    """Every outcome there is, a refused signature, and nobody at the address."""
    send_to_all(sender)
    work()
    settings.IM_SECRET_KEY = canary.keys[1]
    refused = send_to_all(sender)
    work()
    controls.stop(sender, refused.pk)
    settings.IM_SECRET_KEY = canary.keys[0]
    address, settings.IM_BASE_URL = settings.IM_BASE_URL, closed_port()
    unreachable = send_to_all(sender)
    Notification.objects.filter(pk=unreachable.pk).update(doubt_streak=18)
    work()
    controls.stop(sender, unreachable.pk)
    settings.IM_BASE_URL = address
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {
        "accepted",
        "rejected",
        "not_sent",
        "unconfirmed",
    }
    assert Attempt.objects.filter(error_code=70009).exists()
    assert len(canary.user_sigs) == 2  # none for the address where nobody was


def dump() -> str:
    """Every column of every row of every table."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  a name of ours
            rows += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(rows)


def test_what_is_written_and_exported(canary, settings, tmp_path):
    run_everything(settings, canary, make_user(roles.COMMUNITY_MANAGER))

    canary.keep("database", dump())
    for kind in ("jsonl", "csv"):
        out = io.StringIO()
        call_command("export_history", "--format", kind, stdout=out)
        assert "lin.mei" in out.getvalue()
        canary.keep(f"export {kind}", out.getvalue())


def test_every_page(canary, settings):
    """From the overview along every link, as somebody who may see everything."""
    sender = make_user(roles.COMMUNITY_MANAGER)
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
                # Of pages that differ in their filters only, some are enough.
                and visits[shape(link)] < 6
            ):
                seen.add(link)
                waiting.append(link)

    assert len(visits) >= 12, sorted(visits)


def shape(path: str) -> str:
    return re.sub(r"\d+", "N", path.partition("?")[0])


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_fails(canary, settings, monkeypatch, debug):
    settings.DEBUG = debug
    settings.IM_PROXY_URL = f"http://anna:{canary.keys[1]}@127.0.0.1:9"
    monkeypatch.setenv("DATABASE_URL", f"postgres://anna:{canary.keys[1]}@db/x")

    def fail(*_args, **_kwargs):
        im = conf.connection()
        im.user_sigs.get()
        raise RuntimeError(f"This page fails with {im} and {im.client()}.")

    monkeypatch.setattr(admin_site.overview, "context", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_user(superuser=True, username="admin"))

    # As of runserver: the request carries the environment too.
    response = client.get(
        "/",
        IM_SECRET_KEY=canary.keys[0],
        DATABASE_URL=f"postgres://anna:{canary.keys[1]}@db/x",
        IM_PROXY_URL=settings.IM_PROXY_URL,
    )

    assert response.status_code == 500
    assert (b"This page fails" in response.content) == debug
    assert (b"IM_SECRET_KEY" in response.content) == debug
    canary.keep("page", f"{response.headers}\n{response.content.decode()}")


def test_members_that_are_checked(canary, settings):
    """With the right key, with a wrong one, with nobody there, and half an answer."""
    client = Client()
    client.force_login(make_user(roles.COMMUNITY_MANAGER))
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
    assert len(canary.user_sigs) == 3  # none for the address where nobody was


def test_a_crash_in_a_sender_thread(canary, monkeypatch):
    def crash(*_args, **_kwargs):
        raise RuntimeError("The answer could not be read.")

    monkeypatch.setattr("notifications.im.client.read_fields", crash)
    send_to_all(make_user(roles.COMMUNITY_MANAGER))

    with pytest.raises(RuntimeError, match="could not be read") as crashed:
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
