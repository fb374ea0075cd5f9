"""Which chat groups a notification is for, at this moment.

Answers are counted by the database: a notification may be for 100,000 groups.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Concat
from django.utils import timezone

from notifications.audiences.exclusions import ExclusionReason
from notifications.db.expressions import JoinedTexts
from notifications.groups.queries import groups_among
from notifications.models import ChatGroup, GroupType, Notification, Rule, SavedAudience
from notifications.models.groups import ChatGroupQuerySet, matches_rule
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)

Kind = Notification.Audience

# What Notification.audience_values holds: a list, or a rule as JSON.
Values = Sequence[str] | Mapping[str, Any]

CHECKED_WITHIN = timedelta(days=7)


GOES_OUT = ""


@dataclass(frozen=True, slots=True)
class AudienceTotals:
    """Of the groups that are alike: ``people`` at most, ``unchecked`` for a week.

    ``uncounted``: how many people they have is not known, as of most live rooms, for
    which Tencent gives no number.
    """

    groups: int = 0
    people: int = 0
    unchecked: int = 0
    uncounted: int = 0

    def __add__(self, other: "AudienceTotals") -> "AudienceTotals":
        return AudienceTotals(
            self.groups + other.groups,
            self.people + other.people,
            self.unchecked + other.unchecked,
            self.uncounted + other.uncounted,
        )


@dataclass(frozen=True)
class Audience:
    """The groups that are meant, those that get it, and why the others do not.

    Each question is asked once; make a new one to look again.
    """

    kind: str
    meant: ChatGroupQuerySet  # whether they may be sent to or not
    ids: Sequence[str] = ()  # of groups that were chosen one by one, each once
    is_named: bool = False  # only some members are to get it
    rule: Rule | None = None
    name: str = ""  # of a saved audience
    is_gone: bool = False  # the saved audience does not exist

    @property
    def sums(self) -> dict[str, AudienceTotals]:
        """By reason of leaving out; ``GOES_OUT`` for the groups that get it."""
        sums = self._sums_if_named.copy()
        if not self.is_named and ExclusionReason.RECIPIENTS in sums:
            sums[GOES_OUT] = sums.get(GOES_OUT, AudienceTotals()) + sums.pop(
                ExclusionReason.RECIPIENTS
            )
        return sums

    @property
    def for_everyone_only(self) -> int:
        """How many would be left out if members were named."""
        return self._sums_if_named.get(
            ExclusionReason.RECIPIENTS, AudienceTotals()
        ).groups

    @cached_property
    def _sums_if_named(self) -> dict[str, AudienceTotals]:
        reason = _reason(is_named=True)
        found = self.meant.annotate(reason=reason).order_by().values_list("reason")
        since = timezone.now() - CHECKED_WITHIN
        unchecked = Q(checked_at=None) | Q(checked_at__lt=since)
        counted = found.annotate(
            groups=Count("pk"),
            people=Sum("member_count"),
            unchecked=Count("pk", filter=unchecked),
            uncounted=Count("pk", filter=Q(member_count=0)),
        )
        return {reason: AudienceTotals(*numbers) for reason, *numbers in counted}

    @property
    def going(self) -> AudienceTotals:
        return self.sums.get(GOES_OUT, AudienceTotals())

    @property
    def count(self) -> int:
        return self.going.groups

    @property
    def left_out(self) -> dict[ExclusionReason, int]:
        """How many groups do not get it, by the reason, in one order."""
        counts = {
            reason: self.sums.get(reason, AudienceTotals()).groups
            for reason in ExclusionReason
        }
        return {reason: count for reason, count in counts.items() if count}

    @property
    def left_out_count(self) -> int:
        return sum(self.left_out.values())

    @cached_property
    def digest(self) -> str:
        """Equal as long as the same groups with the same types would be sent to."""
        return digest_of(self.going_groups(), "group_id", "type")

    @cached_property
    def unknown(self) -> list[str]:
        """The chosen IDs that are in no list, in their order."""
        if sum(sums.groups for sums in self.sums.values()) == len(self.ids):
            return []
        known = set(self.meant.order_by().values_list("group_id", flat=True))
        return [group_id for group_id in self.ids if group_id not in known]

    def going_groups(self) -> QuerySet[ChatGroup]:
        """Those that get it, by name.

        Found by the reason rather than by columns with an index: nearly all groups are
        in use, and to look each up by an index takes SQLite five times as long.
        """
        return self._with_reason().filter(reason=GOES_OUT).order_by("name", "id")

    def left_out_groups(self, *reasons: ExclusionReason) -> QuerySet[Any]:
        """Those that do not get it, by name, for these reasons or any: ``reason``."""
        groups = self._with_reason().order_by("name", "id")
        if reasons:
            return groups.filter(reason__in=reasons)
        return groups.exclude(reason=GOES_OUT)

    def first(self, most: int) -> list[ChatGroup]:
        """The first of those that get it: as chosen, else by name."""
        if self.kind != Kind.CHOSEN:
            return list(self.going_groups()[:most])
        ids = self.ids[:most]
        among = Audience(
            self.kind, groups_among(ids), is_named=self.is_named
        ).going_groups()
        found = {group.group_id: group for group in among.order_by()}
        return [found[group_id] for group_id in ids if group_id in found]

    def row_numbers(self) -> list[int]:
        """Of all those that get it, in the order of ``first``."""
        if self.kind != Kind.CHOSEN:
            return list(self.going_groups().values_list("pk", flat=True))
        found = dict(self.going_groups().order_by().values_list("group_id", "pk"))
        return [found[group_id] for group_id in self.ids if group_id in found]

    def _with_reason(self) -> QuerySet[Any]:
        return self.meant.annotate(reason=_reason(is_named=self.is_named))


def audience(kind: str, values: Values, *, is_named: bool = False) -> Audience:
    """What a choice means now. ``values`` as in ``Notification.audience_values``.

    ``is_named``: only some members are to get it, which some types of groups refuse.
    """
    if kind == Kind.EVERY:
        return Audience(kind, ChatGroup.objects.all(), is_named=is_named)
    if isinstance(values, Mapping):
        return _fitting(kind, Rule.from_json(values), is_named=is_named)
    if kind == Kind.SAVED:
        name = "".join(values[:1])
        # PostgreSQL refuses a null character, which no name holds.
        asked = SavedAudience.objects.filter(name=name.replace("\0", "\ufffd"))
        saved = asked.first()
        if saved is None:
            none = ChatGroup.objects.none()
            return Audience(kind, none, name=name, is_gone=True)
        return _fitting(kind, saved.rule, is_named=is_named, name=saved.name)
    ids = list(dict.fromkeys(values))
    return Audience(kind, groups_among(ids), ids=ids, is_named=is_named)


def count_all_groups() -> int:
    """How many groups may be sent to at all."""
    return audience(Kind.EVERY, []).going_groups().count()


def saved_audience_counts() -> dict[str, int]:
    """The saved audiences by name, each with how many groups would get it; two queries.

    All are counted in one pass over the groups.
    """
    saved = list(SavedAudience.objects.order_by("name"))
    counts = (
        audience(Kind.EVERY, [])
        .going_groups()
        .order_by()
        .aggregate(
            **{
                f"n{one.pk}": Count("pk", filter=matches_rule(one.rule))
                for one in saved
            }
        )
    )
    return {one.name: counts[f"n{one.pk}"] for one in saved}


def matching_groups(rule: Rule) -> Audience:
    """What a rule means now, whoever in the groups is to get it."""
    return audience(Kind.RULE, rule.as_json())


def audience_of(notification: Notification) -> Audience:
    return audience(
        notification.audience,
        notification.audience_values,
        is_named=bool(notification.recipients),
    )


def digest_of(rows: QuerySet[Any], group_id: str, group_type: str) -> str:
    """SHA-256 over the IDs and types of groups, in order of the IDs."""
    line = Concat(group_id, Value("\t"), group_type, output_field=TextField())
    lines = rows.order_by().aggregate(lines=JoinedTexts(line, Value("\n")))["lines"]
    # Sorted here: PostgreSQL sorts as its language does.
    text = "\n".join(sorted((lines or "").split("\n")))
    return hashlib.sha256(text.encode()).hexdigest()


def _fitting(kind: str, rule: Rule, *, is_named: bool, name: str = "") -> Audience:
    meant = ChatGroup.objects.fitting(rule)
    return Audience(kind, meant, is_named=is_named, rule=rule, name=name)


def _reason(*, is_named: bool) -> Case:
    cases = [
        When(~Q(state=ChatGroup.State.IN_USE), then=F("state")),
        When(
            ~Q(type__in=GroupType.values),
            then=Value(ExclusionReason.UNKNOWN_TYPE.value),
        ),
    ]
    if is_named:
        to_everyone = Q(type__in=SendGroupSystemNotification.ALL_MEMBERS_ONLY_TYPES)
        cases.append(When(to_everyone, then=Value(ExclusionReason.RECIPIENTS.value)))
    return Case(*cases, default=Value(GOES_OUT), output_field=CharField())
