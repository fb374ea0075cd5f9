"""What the stand-in's own pages answer: the overview, its style, the form for faults.

The form changes what the stand-in does, so it is taken from its own page only. A page
of another site in the same browser is kept out twice: its ``Origin`` is another one,
and under a name that it points to this machine the ``Host`` is none of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from . import page
from .faults import FAULTS, check_fault

if TYPE_CHECKING:
    from .server import SandboxServer

STYLE = Path(__file__).with_name("page.css").read_bytes()
OWN_NAMES = ("127.0.0.1", "localhost", "::1")
HEADS = (
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
        """The lines of the head."""
        fields = [f"Content-Type: {self.kind}", *HEADS]
        return [*fields, f"Location: {self.location}"] if self.location else fields


def respond(
    sandbox: "SandboxServer",
    method: str,
    target: str,
    fields: Mapping[str, str],
    body: bytes,
) -> Reply:
    """The reply to a request for a page; ``fields`` of its head, names in small."""
    host = fields.get("host", "")
    if urlsplit(f"//{host}").hostname not in OWN_NAMES:
        return Reply(403, b"Open this page under the name of this machine: 127.0.0.1.")
    parts = urlsplit(target)
    match method, parts.path:
        case "GET", "/":
            term = parse_qs(parts.query).get("q", [""])[0]
            return Reply(200, page.render(sandbox, term.strip()).encode(), HTML)
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
    # Numbers stay in the field when a fault without numbers is chosen.
    takes_numbers = name in FAULTS and FAULTS[name].numbers > 0
    numbers = form.get("numbers", "") if takes_numbers else ""
    try:
        fault = check_fault(f"{name}:{numbers}" if numbers else name)
        sandbox.set_fault(form.get("group_id", ""), fault)
    except ValueError as error:
        return _mistake(str(error))
    except KeyError:
        return _mistake("There is no such group here.")
    query = urlencode({"q": form["q"]}) if form.get("q") else ""
    return Reply(303, b"", location=f"/?{query}" if query else "/")


def _mistake(sentence: str) -> Reply:
    html = page.document(
        f'<p class="refused">{escape(sentence)}</p><p><a href="/">Back</a></p>'
    )
    return Reply(400, html.encode(), HTML)
