"""What the application may do, as rows of a table in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from notifications import conf
from notifications.delivery import capabilities as names
from notifications.delivery.explanations import explain_reason
from notifications.models import Capability
from notifications.system.probe.steps import COMMANDS
from notifications.tencent import error_codes

LABELS: dict[str, Promise] = {
    names.SYSTEM_NOTIFICATION: _("System notifications"),
    names.GROUP_MESSAGE: _("Group messages"),
    names.NAMED_MEMBERS: _("Group messages to named members"),
    names.RECEIPTS: _("Number of readers"),
    names.RECALL: _("Taking messages back"),
    names.HISTORY: _("History of a group"),
    names.REPEAT: _("A repeat is shown once"),
    names.ONLINE_ONLY_SEQ: _("Number of a message to online members"),
    names.TARGETED_IN_HISTORY: _("Messages to named members in the history"),
    names.BROADCAST: _("Broadcast to all live rooms"),
    names.CALLBACKS: _("Callbacks"),
}

FINDINGS: dict[str, Promise] = {
    "dropped": _("Tencent dropped the message, although it answered OK."),
    "seq": _("The answer has a MsgSeq."),
    "zero_seq": _("The answer has the MsgSeq 0."),
    "no_seq": _("The answer has no MsgSeq."),
    "same_seq": _("The answer to a repeat has the MsgSeq of the first message."),
    "new_seq": _("The answer to a repeat has another MsgSeq."),
    "found": _("It contains the message that was sent."),
    "not_found": _("It does not contain the message that was sent."),
    "counted": _("Tencent counts the readers."),
    "not_counted": _(
        "The call is allowed. The message was sent without asking for receipts."
    ),
    "again_accepted": _("Taking a message back twice is accepted."),
    "again_refused": _("Taking a message back twice is answered with this code:"),
}

NOT_TRIED: dict[str, Promise] = {
    names.BROADCAST: _("A probe never tries it: it would reach every live room."),
    names.CALLBACKS: _("A probe cannot find it out."),
}

# A no of these refuses nothing.
_FACTS = {names.ONLINE_ONLY_SEQ, names.TARGETED_IN_HISTORY}

# Answer → class of the badge.
_BADGES = {
    Capability.Answer.YES: "passed",
    Capability.Answer.NO: "failed",
    Capability.Answer.UNKNOWN: "not_reached",
}


@dataclass(frozen=True, slots=True)
class Row:
    """``quote`` is Tencent's own text; ``probed_at`` is ``None`` if not tried."""

    label: str
    answer: str
    badge: str
    text: str
    quote: str = ""
    group_id: str = ""
    probed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CapabilityTable:
    """``other_application`` was probed, but not the one of the settings."""

    rows: Sequence[Row]
    is_probed: bool
    other_application: int | None


def capability_table() -> CapabilityTable:
    """The capabilities of the application of the settings. One query."""
    present = settings.IM_SDK_APP_ID
    sdk_app_id = int(present) if conf.is_sdk_app_id(present) else None
    stored = list(Capability.objects.order_by("-probed_at"))
    by_name = {row.name: row for row in stored if row.sdk_app_id == sdk_app_id}
    others = [row.sdk_app_id for row in stored if row.sdk_app_id != sdk_app_id]
    return CapabilityTable(
        [_row(name, by_name.get(name)) for name in names.NAMES],
        bool(by_name),
        others[0] if others and not by_name else None,
    )


def _row(name: str, capability: Capability | None) -> Row:
    label = str(LABELS[name])
    if capability is None:
        text = str(NOT_TRIED.get(name, ""))
        return Row(label, gettext("Not tried"), "not_reached", text)
    answer = Capability.Answer(capability.answer)
    return Row(
        label,
        str(answer.label),
        _BADGES[Capability.Answer.UNKNOWN if name in _FACTS else answer],
        _text(capability),
        capability.detail if capability.error_code else "",
        capability.group_id,
        capability.probed_at,
    )


def _text(capability: Capability) -> str:
    finding = capability.finding
    parts = [
        str(FINDINGS[finding]) if finding in FINDINGS else _reason(finding),
        _meaning(capability.name, capability.error_code),
    ]
    return " ".join(part for part in parts if part)


def _reason(finding: str) -> str:
    return explain_reason(finding).meaning if finding else ""


def _meaning(name: str, code: int | None) -> str:
    if not code:
        return ""
    meaning: Mapping[str, str] = error_codes.info(code, COMMANDS[name]).meaning
    language = error_codes.language_key(get_language() or "en")
    return f"{meaning[language]} ({code})"
