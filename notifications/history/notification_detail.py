"""What the page of a notification says to an auditor, beside its progress."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from notifications.audiences.exclusions import reason_label
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import SCHEDULED
from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.models import Archive, AuditEntry, Delivery, Notification, Rule, Seal
from notifications.record.audit_events import VERIFIED
from notifications.record.queries import seal_of
from notifications.record.result_counts import count_results

S = Delivery.Status

ORDER = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED, S.SENDING, S.QUEUED]

# Enough to find the newest that read this notification among those that did not.
VERIFICATIONS = 50


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Deliveries that are alike; ``filter`` finds them in the list of deliveries."""

    status: str
    label: str
    why: Explanation | None
    count: int
    filter: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExcludedGroups:
    """``count`` groups that the audience did not hold; the first of them named.

    ``is_known`` is false for what was sent before this was written down.
    """

    is_known: bool
    count: int
    named: Sequence[tuple[str, str, str]]  # group ID, name, reason in words


@dataclass(frozen=True, slots=True)
class VerificationState:
    at: datetime
    unchanged: bool
    differences: Sequence[str]


@dataclass(frozen=True, slots=True)
class NotificationDetail:
    """``seal`` is ``None`` before it is sealed; ``archive`` while its rows are here."""

    conditions: Sequence[tuple[str, str]]  # of the rule at that time, in words
    results: Sequence[ResultRow]
    left_out: ExcludedGroups
    seal: Seal | None
    archive: Archive | None
    verified: VerificationState | None


def notification_detail(notification: Notification) -> NotificationDetail:
    """Eight queries at most, whatever the number of deliveries."""
    seal = seal_of(notification.pk)
    sending = _sending(notification.pk)
    return NotificationDetail(
        conditions=_conditions(sending),
        results=results(notification, seal),
        left_out=_left_out(sending),
        seal=seal,
        archive=Archive.objects.filter(notification=notification).first(),
        verified=_verified(notification.pk, seal) if seal else None,
    )


def results(notification: Notification, seal: Seal | None) -> list[ResultRow]:
    """Counts by result, and by code or reason where there is one."""
    rows = notification.tallies.all() if seal else count_results([notification.pk])
    found: Counter[tuple[str, int | None, str]] = Counter()
    for row in rows:
        # The code of what waits, or is in doubt, is that of an earlier attempt.
        code = row.error_code if row.status == S.FAILED else None
        found[row.status, code, row.reason] += row.count
    kinds = sorted(
        found.items(), key=lambda kind: (ORDER.index(S(kind[0][0])), -kind[1], kind[0])
    )
    return [_result(notification.pk, *kind, count) for kind, count in kinds]


def _result(
    number: int, status: str, code: int | None, reason: str, count: int
) -> ResultRow:
    found = {"notification": str(number), "status": status}
    why = None
    if reason:
        found["reason"], why = reason, explain_reason(reason)
    elif code:
        found["code"], why = str(code), explain_code(code)
    return ResultRow(status, str(S(status).label), why, count, found)


def _sending(number: int) -> Mapping[str, Any]:
    """What the entry of the audit trail about the sending says."""
    entry = (
        AuditEntry.objects.filter(
            notification_number=number, action__in=[SENT.word, SCHEDULED.word]
        )
        .order_by("id")
        .first()
    )
    return entry.detail if entry is not None else {}


def _conditions(sending: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "rule" not in sending:
        return []
    return Rule.from_json(sending["rule"]).conditions()


def _left_out(sending: Mapping[str, Any]) -> ExcludedGroups:
    if "left_out" not in sending:
        return ExcludedGroups(is_known=False, count=0, named=[])
    return ExcludedGroups(
        is_known=True,
        count=sending["left_out_count"],
        # Once, only the state of the group was written down.
        named=[
            (
                row["group_id"],
                row["name"],
                reason_label(row.get("reason") or row["state"]),
            )
            for row in sending["left_out"]
        ],
    )


def _verified(number: int, seal: Seal) -> VerificationState | None:
    """The newest verification that read the rows of this notification."""
    entries = AuditEntry.objects.filter(
        action=VERIFIED.word, at__gte=seal.sealed_at
    ).order_by("-id")[:VERIFICATIONS]
    for entry in entries:
        if _has_read(entry.detail, number, seal):
            differences = entry.detail.get("differences", [])
            return VerificationState(entry.at, entry.detail["unchanged"], differences)
    return None


def _has_read(detail: Mapping[str, Any], number: int, seal: Seal) -> bool:
    since = parse_datetime(detail.get("since") or "")
    return detail.get("only") in (None, number) and (
        since is None or since <= seal.sealed_at
    )
