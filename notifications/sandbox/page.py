"""The page of the stand-in: a chat window per group, with what "members" got."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from .groups import SandboxGroup
from .journal import JournalEntry

POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
SHOWN_PER_GROUP = 20

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 16px; max-width: 1200px; font: 15px/1.5 system-ui, sans-serif;
  background: light-dark(#f5f6f8, #131619); color: light-dark(#1c2127, #e7e9ec); }
h1 { font-size: 24px; } h2 { font-size: 17px; margin: 0; }
small, .quiet { color: light-dark(#545d69, #a9b1bc); font-size: 13px; }
main { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); }
section { padding: 16px; border: 1px solid light-dark(#dcdfe4, #363c44); border-radius: 8px;
  background: light-dark(#fff, #1b1f24); overflow-wrap: anywhere; }
.bubble { margin: 8px 0 0; padding: 8px 12px; border-radius: 8px; white-space: pre-wrap;
  background: light-dark(#eef0f3, #262b32); }
.refused { color: light-dark(#a0132a, #ffa3ab); }
"""


def render(groups: Sequence[SandboxGroup], entries: Sequence[JournalEntry]) -> str:
    """The whole page, groups with the newest calls first."""
    by_group = defaultdict(list)
    for entry in reversed(entries):
        by_group[entry.group_id].append(entry)
    known = {group.group_id: group for group in groups}
    quiet = [group for group in groups if group.group_id not in by_group]
    order = [known.get(i) or SandboxGroup(i, "unknown", i) for i in by_group]
    cards = "".join(_card(group, by_group[group.group_id]) for group in order + quiet)
    shown = sum(entry.shown for entry in entries)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Sandbox</title>"
        '<link rel="stylesheet" href="/style.css"></head><body>'
        "<h1>Sandbox: a stand-in for Tencent IM</h1>"
        "<p>Nothing leaves this machine. Reload to see what came in since.</p>"
        f"<p>{len(entries)} calls received, {shown} notices shown.</p>"
        f"<main>{cards}</main></body></html>"
    )


def _card(group: SandboxGroup, entries: Sequence[JournalEntry]) -> str:
    fault = f" · fault: {escape(group.fault)}" if group.fault else ""
    calls = "".join(_call(entry) for entry in entries[:SHOWN_PER_GROUP])
    return (
        f"<section><h2>{escape(group.name)}</h2>"
        f"<small>{escape(group.type)} · {escape(group.group_id)}{fault}</small>"
        f"{calls or '<p class=quiet>No notice yet.</p>'}</section>"
    )


def _call(entry: JournalEntry) -> str:
    time = datetime.fromtimestamp(entry.received_at, UTC).strftime("%H:%M:%S UTC")
    members = ", ".join(entry.recipients)
    to = f" · to {len(entry.recipients)} members: {escape(members)}" if members else ""
    if entry.shown:
        return f'<p class="bubble">{escape(entry.content)}</p><small>{time}{to}</small>'
    answer = "no answer" if entry.error_code is None else f"code {entry.error_code}"
    return f'<p class="refused">Not shown: {answer} <small>{time}</small></p>'
