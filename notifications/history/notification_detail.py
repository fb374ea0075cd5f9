"""Data for auditors on the page of a notification, in addition to its progress."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from notifications.amendments.presentation import LABELS
from notifications.audiences.exclusions import reason_label
from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.history.draft_versions import Versions, versions_of
from notifications.history.presentation import option_rows
from notifications.models import Archive, AuditEntry, Delivery, Notification, Rule, Seal
from notifications.record.audit_events import VERIFIED
from notifications.record.queries import seal_of
from notifications.record.result_counts import count_results

S = Delivery.Status

ORDER = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED, S.SENDING, S.QUEUED]

# Enough to include the newest verification of the notification.
VERIFICATIONS = 50


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Deliveries with one result; ``filter`` holds the parameters of their list."""

    status: str
    label: str
    why: Explanation | None
    count: int
    filter: Mapping[str, str]

    @property
    def address(self) -> str:
        """The list of these deliveries."""
        return f"{reverse('admin:deliveries')}?{urlencode(self.filter)}"


@dataclass(frozen=True, slots=True)
class ExcludedGroups:
    """``count`` groups excluded from the audience; ``named`` lists the first of them.

    ``is_known`` is false if the audit entry of the send does not record them.
    """

    is_known: bool
    count: int
    named: Sequence[tuple[str, str, str]]  # group ID, name, label of the reason


@dataclass(frozen=True, slots=True)
class VerificationState:
    at: datetime
    unchanged: bool
    differences: Sequence[str]


@dataclass(frozen=True, slots=True)
class NotificationDetail:
    """``seal`` is ``None`` before sealing, ``archive`` before archiving."""

    options: Sequence[tuple[str, str]]  # labels and values that are no defaults
    conditions: Sequence[tuple[str, str]]  # of the rule at that time
    results: Sequence[ResultRow]
    excepted: Sequence[tuple[str, str]]  # group ID and name, named in the rule
    excluded: ExcludedGroups
    # Of a recall or a correction: messages that were left out, with the reason.
    left_out: Sequence[tuple[int, str]]
    versions: Versions  # of the draft
    seal: Seal | None
    archive: Archive | None
    verified: VerificationState | None


def notification_detail(notification: Notification) -> NotificationDetail:
    """At most ten queries, independent of the number of deliveries."""
    seal = seal_of(notification.pk)
    sent_detail = _sent_detail(notification.pk)
    return NotificationDetail(
        options=option_rows(notification.options),
        conditions=Rule.from_json(sent_detail["rule"]).conditions()
        if "rule" in sent_detail
        else [],
        results=results(notification, seal),
        excepted=_excepted(sent_detail),
        excluded=_excluded(sent_detail),
        left_out=_left_out(sent_detail),
        versions=versions_of(notification.pk),
        seal=seal,
        archive=Archive.objects.filter(notification=notification).first(),
        verified=_verified(notification.pk, seal) if seal else None,
    )


def results(notification: Notification, seal: Seal | None) -> list[ResultRow]:
    """Count deliveries by result, and by code or reason if there is one."""
    rows = notification.tallies.all() if seal else count_results([notification.pk])
    counts: Counter[tuple[str, int | None, str]] = Counter()
    for row in rows:
        # With another status, the code is that of an earlier attempt.
        code = row.error_code if row.status == S.FAILED else None
        counts[row.status, code, row.reason] += row.count
    kinds = sorted(
        counts.items(), key=lambda kind: (ORDER.index(S(kind[0][0])), -kind[1], kind[0])
    )
    return [_result(notification, *kind, count) for kind, count in kinds]


def _result(
    notification: Notification, status: str, code: int | None, reason: str, count: int
) -> ResultRow:
    parameters = {"notification": str(notification.pk), "status": status}
    why = None
    if reason:
        parameters["reason"], why = reason, explain_reason(reason, notification.channel)
    elif code:
        parameters["code"], why = str(code), explain_code(code, notification.channel)
    label = notification.accepted_label if status == S.ACCEPTED else S(status).label
    return ResultRow(status, str(label), why, count, parameters)


def _sent_detail(number: int) -> Mapping[str, Any]:
    """The detail of the audit entry that created the deliveries."""
    entry = (
        AuditEntry.objects.filter(
            notification_number=number,
            action__in=AuditEntry.CREATING_DELIVERIES,
        )
        .order_by("id")
        .first()
    )
    return entry.detail if entry is not None else {}


def _excepted(sent_detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Older entries have only the IDs, in the rule."""
    ids = sent_detail.get("rule", {}).get("exceptions", [])
    names = {row["group_id"]: row["name"] for row in sent_detail.get("excepted", [])}
    return [(one, names.get(one, "")) for one in ids]


def _excluded(sent_detail: Mapping[str, Any]) -> ExcludedGroups:
    if "left_out" not in sent_detail:
        return ExcludedGroups(is_known=False, count=0, named=[])
    return ExcludedGroups(
        is_known=True,
        count=sent_detail["left_out_count"],
        # Older entries have only the state of the group.
        named=[
            (
                row["group_id"],
                row["name"],
                reason_label(row.get("reason") or row["state"]),
            )
            for row in sent_detail["left_out"]
        ],
    )


def _left_out(sent_detail: Mapping[str, Any]) -> list[tuple[int, str]]:
    reasons = sent_detail.get("left_out_reasons", {})
    return [(count, str(LABELS[reason])) for reason, count in reasons.items()]


def _verified(number: int, seal: Seal) -> VerificationState | None:
    """The newest verification that read the rows of this notification."""
    is_archived = Archive.objects.filter(notification_id=number).exists()
    entries = AuditEntry.objects.filter(action=VERIFIED.word).order_by("-id")
    for entry in entries[:VERIFICATIONS]:
        if is_archived and entry.detail.get("archived"):
            continue
        if _has_read(entry.detail, number, seal):
            differences = entry.detail.get("differences", [])
            return VerificationState(entry.at, entry.detail["unchanged"], differences)
    return None


def _has_read(detail: Mapping[str, Any], number: int, seal: Seal) -> bool:
    since = parse_datetime(detail.get("since") or "")
    return (
        detail.get("seals", 0) >= seal.number
        and detail.get("only") in (None, number)
        and (since is None or since <= seal.sealed_at)
    )
