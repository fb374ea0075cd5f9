"""The pages of the sandbox: a chat window per group (``chat.py``), and the forms.

Plain HTML without scripts. The page shows ``MAX_WINDOWS`` groups at most, the last
called first; a search finds the others. So its size does not depend on the number of
groups and calls.

The server accepts the forms from its own page only. Two checks protect it from other
sites in the same browser: their ``Origin`` differs, and with DNS rebinding (their name
resolves to this machine) the ``Host`` is not one of ``OWN_NAMES``.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from notifications.sandbox import chat
from notifications.sandbox.application import (
    CALLBACKS,
    EDITIONS,
    REPEATS,
    SECOND_RECALLS,
    Application,
    read_switched_off,
    write_switched_off,
)
from notifications.sandbox.faults import FAULTS, check_fault, pattern
from notifications.sandbox.groups import CALLS, SandboxGroup
from notifications.sandbox.journal import CORRECTION, RECALLS

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

MAX_WINDOWS = 60


def document(content: str) -> str:
    """A complete page around ``content``, which is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Sandbox</title>"
        '<link rel="stylesheet" href="/style.css"></head><body>'
        f"<main><h1>Sandbox: a stand-in for Tencent IM</h1>{content}</main></body></html>"
    )


def render(sandbox: "SandboxServer", term: str) -> str:
    """The overview of the groups whose name or ID contains ``term``."""
    matches = _search_groups(sandbox, term)
    shown = matches[:MAX_WINDOWS]
    windows = "".join(
        chat.window(sandbox, group, _form(group, term) if is_known else "", term)
        for group, is_known in shown
    )
    nothing = '<p class="quiet">No group matches.</p>' if term else ""
    return document(
        '<p class="quiet">Nothing leaves this machine. Reload to see what came in '
        "since.</p>"
        f"{_totals(sandbox)}{_application_form(sandbox.application)}"
        f"{_search_form(term, len(shown), len(matches))}"
        f'<div class="windows">{windows or nothing}</div>{_explanation()}'
    )


def _search_groups(
    sandbox: "SandboxServer", term: str
) -> list[tuple[SandboxGroup, bool]]:
    """Matching groups and whether the sandbox has them, the last called first."""
    called = sandbox.journal.called_groups()
    is_called = set(called)
    known = dict(sandbox.groups)
    quiet = (group for group in known.values() if group.group_id not in is_called)
    order = [known.get(i) or SandboxGroup(i, "unknown", i) for i in called]
    needle = term.casefold()
    return [
        (group, group.group_id in known)
        for group in (*order, *quiet)
        if needle in group.name.casefold() or needle in group.group_id.casefold()
    ]


def _totals(sandbox: "SandboxServer") -> str:
    calls, shown = len(sandbox.journal), sandbox.journal.shown
    messages = sandbox.journal.messages_shown
    faults = sum(bool(g.describe_faults()) for g in list(sandbox.groups.values()))
    done = Counter(one.command for one in sandbox.journal.amendments() if one.done)
    numbers = [
        (calls, "calls received"),
        (shown - messages, "notices shown"),
        (messages, "messages shown"),
        (calls - shown, "not shown"),
        (sum(done[command] for command in RECALLS), "taken back"),
        (done[CORRECTION], "corrections"),
        (len(sandbox.groups), "groups"),
        (faults, "groups with a fault"),
    ]
    cells = "".join(f"<li><b>{n:,}</b> {words}</li>" for n, words in numbers)
    return f'<ul class="totals">{cells}</ul>'


def _search_form(term: str, shown: int, total: int) -> str:
    clear = ' <a href="/">Clear</a>' if term else ""
    more = (
        f"<small>{shown} of {total:,} groups; search to see others.</small>"
        if total > shown
        else ""
    )
    return (
        '<form class="search" action="/" role="search"><label for="q">Group</label>'
        f'<input type="search" id="q" name="q" value="{escape(term)}" '
        'placeholder="Part of a name or ID"><button>Search</button>'
        f"{clear}{more}</form>"
    )


def _form(group: SandboxGroup, term: str) -> str:
    name, _, numbers = group.fault.partition(":")
    calls = "".join(f"<option>{command}" for command in CALLS)
    options = "".join(
        f'<option value="{key}"{" selected" if key == name else ""}>{pattern(key)}'
        for key in FAULTS
    )
    return (
        '<form class="faults" method="post" action="/fault">'
        f'<input type="hidden" name="group_id" value="{escape(group.group_id)}">'
        f'<input type="hidden" name="q" value="{escape(term)}">'
        '<select name="fault" aria-label="What goes wrong">'
        f'<option value="">works</option>{options}</select>'
        f'<input name="numbers" value="{escape(numbers)}" size="8" placeholder="N" '
        'aria-label="Numbers of the fault, such as 10010 or 60007:2">'
        '<select name="command" aria-label="Of which call">'
        f'<option value="">every call</option>{calls}</select>'
        "<button>Set</button></form>"
    )


def _application_form(application: Application) -> str:
    """What the application may do: shown in one line, changed below it."""
    edition = _select(
        "edition", "Edition", {e: e for e in EDITIONS}, application.edition
    )
    repeats = _select("repeats", "Answer to a repeat", REPEATS, application.repeats)
    callback = _select(
        "callback", "Callback before sending", CALLBACKS, application.callback
    )
    second_recall = _select(
        "second_recall",
        "Answer to a second recall",
        SECOND_RECALLS,
        application.second_recall,
    )
    checked = " checked" if application.new_customer else ""
    off = escape(write_switched_off(application.switched_off))
    return (
        "<details><summary>Application: "
        f"{escape(application.describe())}</summary>"
        '<form class="options" method="post" action="/application">'
        f"{edition}{repeats}{second_recall}{callback}"
        f'<label>Calls switched off<input name="switched_off" value="{off}" '
        'placeholder="group_msg_recall:10026"></label>'
        '<label class="check"><input type="checkbox" name="new_customer" value="1"'
        f"{checked}>New customer, without system notifications</label>"
        "<button>Set</button></form></details>"
    )


def _select(name: str, label: str, choices: Mapping[str, str], value: str) -> str:
    options = "".join(
        f'<option value="{key}"{" selected" if key == value else ""}>{escape(text)}'
        for key, text in choices.items()
    )
    return f'<label>{label}<select name="{name}">{options}</select></label>'


def _explanation() -> str:
    rows = "".join(
        f"<tr><th>{pattern(name)}</th><td>{escape(fault.effect)}</td></tr>"
        for name, fault in FAULTS.items()
    )
    return (
        "<details><summary>What can go wrong</summary>"
        "<p>Choose it under a group, with its numbers in the field beside it: "
        "<code>10010</code> for code, <code>60007:2</code> for code_times, "
        "<code>500</code> (milliseconds) for slow. It concerns every call that changes "
        "the group, or the one that is chosen. A message that is shown is stored, too; "
        "to show a recall or a correction is to carry it out.</p>"
        f"<table>{rows}</table></details>"
    )


STYLE = Path(__file__).with_name("page.css").read_bytes()

OWN_NAMES = ("127.0.0.1", "localhost", "::1")

SECURITY_HEADERS = (
    "Content-Security-Policy: default-src 'none'; style-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control: no-store",
    "Cross-Origin-Opener-Policy: same-origin",
    "Cross-Origin-Resource-Policy: same-origin",
    "Referrer-Policy: same-origin",
    "X-Content-Type-Options: nosniff",
)

HTML, TEXT, CSS = (f"text/{kind}; charset=utf-8" for kind in ("html", "plain", "css"))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    kind: str = TEXT
    location: str = ""

    @property
    def fields(self) -> list[str]:
        """The header lines."""
        fields = [f"Content-Type: {self.kind}", *SECURITY_HEADERS]
        return [*fields, f"Location: {self.location}"] if self.location else fields


def respond(
    sandbox: "SandboxServer",
    method: str,
    target: str,
    fields: Mapping[str, str],
    body: bytes,
) -> Reply:
    """Reply to a request for a page; ``fields`` are headers, names in lower case."""
    host = fields.get("host", "")
    if urlsplit(f"//{host}").hostname not in OWN_NAMES:
        return Reply(403, b"Open this page under the name of this machine: 127.0.0.1.")
    parts = urlsplit(target)
    match method, parts.path:
        case "GET", "/":
            term = parse_qs(parts.query).get("q", [""])[0]
            return Reply(200, render(sandbox, term.strip()).encode(), HTML)
        case "GET", "/style.css":
            return Reply(200, STYLE, CSS)
        case "POST", "/fault" | "/application" | "/message":
            if fields.get("origin") != f"http://{host}":
                return Reply(403, b"Faults are chosen on the page of the sandbox only.")
            if parts.path == "/fault":
                return _choose_fault(sandbox, body)
            if parts.path == "/message":
                return _change_message(sandbox, body)
            return _change_application(sandbox, body)
    return Reply(404, b"Not found.")


def _form_values(body: bytes) -> dict[str, str]:
    return {
        name: values[0].strip()
        for name, values in parse_qs(body.decode("utf-8", "replace")).items()
    }


def _change_application(sandbox: "SandboxServer", body: bytes) -> Reply:
    form = _form_values(body)
    try:
        sandbox.change_application(
            edition=form.get("edition", ""),
            new_customer="new_customer" in form,
            repeats=form.get("repeats", ""),
            callback=form.get("callback", ""),
            second_recall=form.get("second_recall", ""),
            switched_off=read_switched_off(form.get("switched_off", "")),
        )
    except ValueError as error:
        return _bad_request(str(error))
    return Reply(303, b"", location="/")


def _choose_fault(sandbox: "SandboxServer", body: bytes) -> Reply:
    form = _form_values(body)
    name = form.get("fault", "")
    # The field may still hold numbers when a fault without numbers is chosen.
    takes_numbers = name in FAULTS and FAULTS[name].numbers > 0
    numbers = form.get("numbers", "") if takes_numbers else ""
    try:
        fault = check_fault(f"{name}:{numbers}" if numbers else name)
        sandbox.set_fault(
            form.get("group_id", ""), fault, command=form.get("command", "")
        )
    except ValueError as error:
        return _bad_request(str(error))
    except KeyError:
        return _bad_request("There is no such group here.")
    return _back(form)


def _change_message(sandbox: "SandboxServer", body: bytes) -> Reply:
    """What others do with a message: take it back, or delete it."""
    form = _form_values(body)
    group_id = form.get("group_id", "")
    for name, change in (
        ("recall", sandbox.recall_by_others),
        ("delete", sandbox.delete_by_others),
    ):
        if form.get(name, "").isdecimal() and change(group_id, int(form[name])):
            return _back(form)
    return _bad_request("There is no such message any more.")


def _back(form: Mapping[str, str]) -> Reply:
    query = urlencode({"q": form["q"]}) if form.get("q") else ""
    return Reply(303, b"", location=f"/?{query}" if query else "/")


def _bad_request(sentence: str) -> Reply:
    html = document(
        f'<p class="refused">{escape(sentence)}</p><p><a href="/">Back</a></p>'
    )
    return Reply(400, html.encode(), HTML)
