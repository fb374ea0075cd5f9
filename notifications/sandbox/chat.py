"""A chat window of the sandbox's page: what the members of one group see."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.journal import JournalEntry, MessageEntry
from notifications.sandbox.messages import State, StoredMessage, text_of

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

MAX_NAMED_RECIPIENTS = 10

MAX_CUSTOM_DATA = 200

TYPES = {
    "Private": "Private (Work)",
    "Public": "Public",
    "ChatRoom": "Chat room (Meeting)",
    "AVChatRoom": "Live room",
    "BChatRoom": "Broadcast",
    "Community": "Community",
}


def window(sandbox: "SandboxServer", group: SandboxGroup, form: str, term: str) -> str:
    """``form`` is the HTML of the form that sets the fault, ``term`` the search."""
    faults = group.describe_faults()
    fault = f'<span class="fault">{escape(faults)}</span>' if faults else ""
    entries = sandbox.journal.latest(group.group_id)
    calls = "".join(_call(sandbox, entry) for entry in entries)
    return (
        f'<section><header><span class="mark" aria-hidden="true">'
        f"{escape(group.name[:1])}</span><div><h2>{escape(group.name)}</h2>"
        f"<small>{escape(TYPES.get(group.type, group.type))} · "
        f"{escape(group.group_id)}</small></div>{fault}</header>"
        '<form class="chat" method="post" action="/message" tabindex="0">'
        f'<input type="hidden" name="group_id" value="{escape(group.group_id)}">'
        f'<input type="hidden" name="q" value="{escape(term)}">'
        f"{calls or '<p class=none>Nothing came in yet.</p>'}</form>"
        f"{form}</section>"
    )


def _call(sandbox: "SandboxServer", entry: JournalEntry) -> str:
    if not entry.shown:
        return _refused(entry)
    if isinstance(entry, MessageEntry):
        return _message(sandbox, entry)
    return (
        f'<div class="notice"><p>{escape(entry.content)}</p>'
        f"<small>{_details(entry)}</small></div>"
    )


def _refused(entry: JournalEntry) -> str:
    reason = entry.fault
    if isinstance(entry, MessageEntry):
        reason = entry.dropped or reason
    why = f" ({escape(reason)})" if reason else ""
    return f'<p class="refused">Not shown: {_code(entry)}{why} {_time(entry)}</p>'


def _code(entry: JournalEntry) -> str:
    return "no answer" if entry.error_code is None else f"code {entry.error_code}"


def _time(entry: JournalEntry) -> str:
    moment = datetime.fromtimestamp(entry.received_at, UTC)
    return (
        f"<time datetime={moment:%Y-%m-%dT%H:%M:%SZ}>{moment:%H:%M:%S}&nbsp;UTC</time>"
    )


def _details(entry: JournalEntry) -> str:
    """Time, recipients, and the answer unless it was a plain OK."""
    names = list(islice(entry.recipients, MAX_NAMED_RECIPIENTS))
    more = len(entry.recipients) - len(names)
    to = f" · to {len(entry.recipients)} members: {escape(', '.join(names))}"
    to += f" and {more} more" if more else ""
    doubt = "" if entry.error_code == 0 else f" · {_code(entry)}"
    return f"{_time(entry)}{to if names else ''}{doubt}"


def _message(sandbox: "SandboxServer", entry: MessageEntry) -> str:
    """A message in its present state, with its sender and its push."""
    stored = sandbox.store.get(entry.group_id, entry.msg_seq or 0)
    body = stored.body if stored else entry.body
    text = escape(text_of(body))
    states = []
    if stored and stored.corrected:
        was = f"was: {escape(entry.content)}"
        states.append(f'<span class="state">corrected</span> {was}')
    if stored and stored.state is not State.THERE:
        text = f"<del>{text}</del>"
        is_recalled = stored.state is State.RECALLED
        word = "taken back" if is_recalled else "deleted"
        states.append(f'<span class="state">{word}</span> {escape(stored.reason)}')
    lines = [
        f"<p>{'<b>@all</b> ' if entry.mentions_all else ''}{text}</p>",
        *(f'<small class="hint">{escape(hint)}</small>' for hint in _hints(body)),
        *(f"<small>{state.strip()}</small>" for state in states),
        f"<small>push: {escape(entry.pushed)}</small>" if entry.pushed else "",
        f"<small>{_details(entry)}</small>",
        _buttons(stored) if stored and stored.state is State.THERE else "",
    ]
    number = f"message {entry.msg_seq}" if entry.msg_seq else "online members only"
    return (
        f'<div class="notice message"><small class="sender"><b>'
        f"{escape(entry.from_account)}</b> · {number}</small>{''.join(lines)}</div>"
    )


def _buttons(stored: StoredMessage) -> str:
    """What others can do with a message."""
    return (
        f'<button name="recall" value="{stored.msg_seq}" aria-label="Take message '
        f'{stored.msg_seq} back, as another program">Take back</button> '
        f'<button name="delete" value="{stored.msg_seq}" aria-label="Delete message '
        f'{stored.msg_seq}">Delete</button>'
    )


def _hints(body: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each element that is no text."""
    hints = []
    for element in body:
        kind, content = element["MsgType"], element["MsgContent"]
        match kind:
            case "TIMTextElem":
                continue
            case "TIMImageElem":
                hints.append("image: " + content["ImageInfoArray"][0]["URL"])
            case "TIMCustomElem":
                hints.append("custom: " + content.get("Data", "")[:MAX_CUSTOM_DATA])
            case _:
                hints.append(kind)
    return hints
