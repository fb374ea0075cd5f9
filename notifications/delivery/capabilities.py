"""What the present application may do, as the last probe found out.

A call that was never probed is offered. Named members of a group message are offered only
after a probe said yes: Tencent documents them for some editions, and the code that the
others return is unknown.
"""

from collections.abc import Sequence

from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from notifications import conf
from notifications.delivery.channels import WRITABLE
from notifications.delivery.channels.base import Channel
from notifications.models import Capability

# Names of capabilities; channels name those that they need.
SYSTEM_NOTIFICATION = "system_notification"
GROUP_MESSAGE = "group_message"
NAMED_MEMBERS = "named_members"  # in group messages
RECEIPTS = "receipts"  # how many members have read a message
RECALL = "recall"
HISTORY = "history"
REPEAT = "repeat"  # a repeat with the same Random shows the message once
ONLINE_ONLY_SEQ = "online_only_seq"  # a message to online members has a MsgSeq
TARGETED_IN_HISTORY = "targeted_in_history"  # the history has messages to named members
BROADCAST = "broadcast"  # one call for all live rooms; a probe never makes it
CALLBACKS = "callbacks"  # Tencent reports messages to us; a probe cannot find out

NAMES = (
    SYSTEM_NOTIFICATION,
    GROUP_MESSAGE,
    NAMED_MEMBERS,
    RECEIPTS,
    RECALL,
    HISTORY,
    REPEAT,
    ONLINE_ONLY_SEQ,
    TARGETED_IN_HISTORY,
    BROADCAST,
    CALLBACKS,
)

A = Capability.Answer


def answers() -> dict[str, Capability]:
    """The answers of the present application by name; one query."""
    if not conf.is_sdk_app_id(settings.IM_SDK_APP_ID):
        return {}
    rows = Capability.objects.filter(sdk_app_id=int(settings.IM_SDK_APP_ID))
    return {row.name: row for row in rows}


def answer(name: str) -> Capability | None:
    """``None`` if it was never tried."""
    return answers().get(name)


def refusals() -> dict[str, str]:
    """Why each channel is not offered that is not, by its word; one query."""
    known = answers()
    return {
        word: _(
            "%(channel)s: not offered, because the application may not send it "
            "%(probe)s."
        )
        % {"channel": channel.word.label, "probe": _probe(row)}
        for word, channel in WRITABLE.items()
        if (row := known.get(channel.capability)) and row.answer == A.NO
    }


def offered_channels() -> list[Channel]:
    """The channels that the application may use; one query."""
    refused = refusals()
    return [channel for word, channel in WRITABLE.items() if word not in refused]


def default_of(offered: Sequence[Channel]) -> str:
    """The word of ``IM_DEFAULT_CHANNEL``, or of another channel if that is not offered."""
    words = [channel.word.value for channel in offered]
    default: str = settings.IM_DEFAULT_CHANNEL
    return default if default in words or not words else words[0]


def why_not(channel: Channel) -> str:
    """Why the channel is not offered; empty if it is. One query."""
    return refusals().get(channel.word, "")


def why_no_named_members(channel: Channel) -> str:
    """Why the application may not name members; empty if it may. One query or none."""
    if not channel.members_capability:
        return ""
    row = answer(channel.members_capability)
    if row is None or row.answer == A.UNKNOWN:
        return _(
            "%(channel)s: whether the application may name members is not known, since "
            "it was not probed. Pick “Everyone in the group”."
        ) % {"channel": channel.word.label}
    if row.answer == A.YES:
        return ""
    return _(
        "%(channel)s: the application may not name members %(probe)s. Pick “Everyone in "
        "the group”."
    ) % {"channel": channel.word.label, "probe": _probe(row)}


def why_no_recall() -> str:
    """What the last probe found if messages cannot be taken back; one query."""
    row = answer(RECALL)
    if row is None or row.answer != A.NO:
        return ""
    return _(
        "The application may not take messages back %(probe)s. You can try it all the "
        "same."
    ) % {"probe": _probe(row)}


def _probe(row: Capability) -> str:
    """``(code 10026, probed on 2026-11-30)``."""
    date = localtime(row.probed_at).date().isoformat()
    if row.error_code is None:
        return _("(probed on %(date)s)") % {"date": date}
    return _("(code %(code)d, probed on %(date)s)") % {
        "code": row.error_code,
        "date": date,
    }
