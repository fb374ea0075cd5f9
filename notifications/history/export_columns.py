"""The columns of the export of the history, and the conversions of their values."""

import json
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from notifications.ui.downloads import Column, json_of


def _as_text(field: str) -> Cast:
    """A time as text of the database, in UTC; parsing times would take longest."""
    return Cast(field, TextField())


def _local_time(text: str | None) -> str | None:
    """Convert a text of the database to ISO 8601 in the default time zone."""
    if text is None:
        return None
    minute, seconds = text[:16], text[16:].removesuffix("+00")
    start, offset = _local_minute(minute, timezone.get_default_timezone())
    if len(seconds) > 3:
        seconds = seconds.ljust(10, "0")  # ":07.080000", as ``isoformat`` does
    return f"{start}{seconds}{offset}"


@lru_cache(maxsize=10_000)
def _local_minute(minute: str, zone: tzinfo) -> tuple[str, str]:
    """The local minute and the offset, which is whole minutes since 1972."""
    utc = datetime.fromisoformat(minute).replace(tzinfo=UTC)
    text = utc.astimezone(zone).isoformat(timespec="minutes")
    return text[:16], text[16:]


def unix_time(seconds: int | None) -> str | None:
    """Convert a time of Tencent's clock like the others."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return timezone.localtime(moment, timezone.get_default_timezone()).isoformat()


def from_account(message_options: str) -> str:
    """The account that members see as the sender; empty for the administrator."""
    if not message_options:
        return ""
    return str(json.loads(message_options).get("from_account", ""))


ID_COLUMNS = [Column("delivery", "pk"), Column("notification", "notification_id")]

# Equal for all deliveries of a notification: queried once per page of rows. The options
# are the last one: see ``export._notifications``.
NOTIFICATION_COLUMNS = [
    # Number of its seal; empty: not sealed yet.
    Column("seal", "seal__number"),
    # Number of the notification that this one resends.
    Column("sent_again_of", "resend_of_id"),
    # Number of the notification that this recall or correction changes.
    Column("amends", "amends_id"),
    Column("written_by", "written_by_name"),
    Column("by_superuser", "by_superuser"),
    Column("content", "content"),
    Column("note", "note"),
    Column("channel", "channel"),
    Column("from_account", "message_options"),
]

# ``amended_delivery`` and ``random`` are the last ones: see ``export.pages``.
DELIVERY_COLUMNS = [
    Column("sender", "sender_name"),
    Column("created_at", _as_text("created_at"), _local_time),
    Column("group_id", "group_id"),
    Column("group_name", "group_name"),
    Column("group_type", "group_type"),
    Column("portion", "portion"),
    # Member IDs; none: everyone in the group.
    Column("recipients", "recipients", str.splitlines, " ".join),
    Column("status", "status"),
    Column("error_code", "error_code"),
    Column("error_info", "error_info"),
    Column("reason", "reason"),
    Column("finished_at", _as_text("finished_at"), _local_time),
    # The delivery whose message a recall or a correction changes.
    Column("amended_delivery", "amended_delivery"),
    # The number of the message, by which Tencent tells a repeat.
    Column("random", "random"),
]

# Of deliveries with one of the last two: queried for them only, since most have none.
MESSAGE_COLUMNS = [
    Column("msg_seq", "msg_seq"),
    Column("msg_time", "msg_time"),
    Column("drop_reason", "drop_reason"),
    # Whether the history of the group has another text than the one that was sent.
    Column("is_altered", "is_altered"),
]

# In the order of the file.
COLUMNS = [
    *ID_COLUMNS,
    *NOTIFICATION_COLUMNS,
    *DELIVERY_COLUMNS,
    *MESSAGE_COLUMNS,
    # Of the last attempt with an answer.
    Column("action_status"),
    Column("attempts", cell=json_of),
    Column("queries", cell=json_of),
]

# The keys of each attempt in the column "attempts".
ATTEMPT_COLUMNS = [
    Column("number", "number"),
    Column("started_at", _as_text("started_at"), _local_time),
    Column("finished_at", _as_text("finished_at"), _local_time),
    Column("outcome", "outcome"),
    Column("http_status", "http_status"),
    Column("action_status", "action_status"),
    Column("error_code", "error_code"),
    Column("error_info", "error_info"),
    Column("reason", "reason"),
    Column("detail", "detail"),
]

# The keys of each query in the column "queries".
QUERY_COLUMNS = [
    Column("number", "number"),
    Column("kind", "kind"),
    Column("asked_by", "asked_by"),
    Column("started_at", _as_text("started_at"), _local_time),
    Column("finished_at", _as_text("finished_at"), _local_time),
    # A JSON list in each: the calls, and the answers to them.
    Column("request", "request"),
    Column("response", "response"),
    Column("verdict", "verdict"),
    Column("error_code", "error_code"),
    Column("detail", "detail"),
]
