"""The pages of the sandbox: a chat window per group, and a form that sets faults.

Plain HTML without scripts. The page shows ``MAX_WINDOWS`` groups at most, the last
called first; a search finds the others. So its size does not depend on the number of
groups and calls.

The server accepts the form from its own page only. Two checks protect it from other
sites in the same browser: their ``Origin`` differs, and with DNS rebinding (their name
resolves to this machine) the ``Host`` is not one of ``OWN_NAMES``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from notifications.sandbox.faults import FAULTS, check_fault, pattern
from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.journal import JournalEntry

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

MAX_WINDOWS = 60

MAX_NAMED_RECIPIENTS = 10

TYPES = {
    "Private": "Private (Work)",
    "Public": "Public",
    "ChatRoom": "Chat room (Meeting)",
    "AVChatRoom": "Live room",
    "BChatRoom": "Broadcast",
    "Community": "Community",
}


def document(content: str) -> str:
    """A complete page around ``content``, which is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Sandbox</title>"
        '<link rel="stylesheet" href="/style.css"></head><body>'
        f"<h1>Sandbox: a stand-in for Tencent IM</h1>{content}</body></html>"
    )


def render(sandbox: "SandboxServer", term: str) -> str:
    """The overview of the groups whose name or ID contains ``term``."""
    matches = _search_groups(sandbox, term)
    shown = matches[:MAX_WINDOWS]
    windows = "".join(
        _window(group, sandbox.journal.latest(group.group_id), term, is_known)
        for group, is_known in shown
    )
    nothing = '<p class="quiet">No group matches.</p>' if term else ""
    return document(
        '<p class="quiet">Nothing leaves this machine. Reload to see what came in '
        "since.</p>"
        f"{_totals(sandbox)}{_search_form(term, len(shown), len(matches))}"
        f"<main>{windows or nothing}</main>{_explanation()}"
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
    faults = sum(1 for group in list(sandbox.groups.values()) if group.fault)
    numbers = [
        (calls, "calls received"),
        (shown, "notices shown"),
        (calls - shown, "not shown"),
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


def _window(
    group: SandboxGroup, entries: Sequence[JournalEntry], term: str, is_known: bool
) -> str:
    fault = f'<span class="fault">{escape(group.fault)}</span>' if group.fault else ""
    calls = "".join(_call(entry) for entry in entries)
    form = _form(group, term) if is_known else ""
    return (
        f'<section><header><span class="mark" aria-hidden="true">'
        f"{escape(group.name[:1])}</span><div><h2>{escape(group.name)}</h2>"
        f"<small>{escape(TYPES.get(group.type, group.type))} · "
        f"{escape(group.group_id)}</small></div>{fault}</header>"
        f'<div class="chat">{calls or "<p class=none>No notice yet.</p>"}</div>'
        f"{form}</section>"
    )


def _call(entry: JournalEntry) -> str:
    moment = datetime.fromtimestamp(entry.received_at, UTC)
    time = (
        f"<time datetime={moment:%Y-%m-%dT%H:%M:%SZ}>{moment:%H:%M:%S}&nbsp;UTC</time>"
    )
    answer = "no answer" if entry.error_code is None else f"code {entry.error_code}"
    if not entry.shown:
        why = f" ({escape(entry.fault)})" if entry.fault else ""
        return f'<p class="refused">Not shown: {answer}{why} {time}</p>'
    names = list(islice(entry.recipients, MAX_NAMED_RECIPIENTS))
    more = len(entry.recipients) - len(names)
    to = f" · to {len(entry.recipients)} members: {escape(', '.join(names))}"
    to += f" and {more} more" if more else ""
    doubt = "" if entry.error_code == 0 else f" · {answer}"
    return (
        f'<div class="notice"><p>{escape(entry.content)}</p>'
        f"<small>{time}{to if names else ''}{doubt}</small></div>"
    )


def _form(group: SandboxGroup, term: str) -> str:
    name, _, numbers = group.fault.partition(":")
    options = "".join(
        f'<option value="{key}"{" selected" if key == name else ""}>{pattern(key)}'
        for key in FAULTS
    )
    return (
        '<form method="post" action="/fault">'
        f'<input type="hidden" name="group_id" value="{escape(group.group_id)}">'
        f'<input type="hidden" name="q" value="{escape(term)}">'
        '<select name="fault" aria-label="What goes wrong">'
        f'<option value="">works</option>{options}</select>'
        f'<input name="numbers" value="{escape(numbers)}" size="8" placeholder="N" '
        'aria-label="Numbers of the fault, such as 10010 or 60007:2">'
        "<button>Set</button></form>"
    )


def _explanation() -> str:
    rows = "".join(
        f"<tr><th>{pattern(name)}</th><td>{escape(fault.effect)}</td></tr>"
        for name, fault in FAULTS.items()
    )
    return (
        "<details><summary>What can go wrong</summary>"
        "<p>Choose it under a group, with its numbers in the field beside it: "
        "<code>10010</code> for code, <code>60007:2</code> for code_times, "
        "<code>500</code> (milliseconds) for slow.</p>"
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
        case "POST", "/fault":
            if fields.get("origin") != f"http://{host}":
                return Reply(403, b"Faults are chosen on the page of the sandbox only.")
            return _choose_fault(sandbox, body)
    return Reply(404, b"Not found.")


def _choose_fault(sandbox: "SandboxServer", body: bytes) -> Reply:
    form = {
        name: values[0].strip()
        for name, values in parse_qs(body.decode("utf-8", "replace")).items()
    }
    name = form.get("fault", "")
    # The field may still hold numbers when a fault without numbers is chosen.
    takes_numbers = name in FAULTS and FAULTS[name].numbers > 0
    numbers = form.get("numbers", "") if takes_numbers else ""
    try:
        fault = check_fault(f"{name}:{numbers}" if numbers else name)
        sandbox.set_fault(form.get("group_id", ""), fault)
    except ValueError as error:
        return _bad_request(str(error))
    except KeyError:
        return _bad_request("There is no such group here.")
    query = urlencode({"q": form["q"]}) if form.get("q") else ""
    return Reply(303, b"", location=f"/?{query}" if query else "/")


def _bad_request(sentence: str) -> Reply:
    html = document(
        f'<p class="refused">{escape(sentence)}</p><p><a href="/">Back</a></p>'
    )
    return Reply(400, html.encode(), HTML)
