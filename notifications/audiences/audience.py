"""The chat groups that a notification is for, evaluated when it is queried.

The database counts: a notification may be for 100,000 groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    Value,
    When,
)
from django.utils import timezone

from notifications.audiences.exclusions import REASONS, ExclusionReason
from notifications.delivery.channels import CHANNELS
from notifications.groups.queries import groups_among
from notifications.models import (
    Channel,
    ChatGroup,
    GroupType,
    Notification,
    Rule,
    SavedAudience,
)
from notifications.models.groups import ChatGroupQuerySet, matches_rule
from notifications.tencent.message_options import MessageOptions

Kind = Notification.Audience

# What Notification.audience_values holds: a list, or a rule as JSON.
Values = Sequence[str] | Mapping[str, Any]

CHECKED_WITHIN = timedelta(days=7)

INCLUDED = ""  # instead of an ``ExclusionReason``


@dataclass(frozen=True, slots=True)
class AudienceTotals:
    """Totals of the groups with one ``ExclusionReason``, or of the included groups.

    ``people`` is an upper bound. ``unchecked`` groups were not synced for a week.
    ``uncounted`` groups have no known number of members, as most live rooms, for which
    Tencent returns no number.
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
    """The selected groups: those that are included, and why the others are excluded.

    Totals are cached: build a new instance to query them again.
    """

    kind: str
    selected: ChatGroupQuerySet  # included and excluded groups
    ids: Sequence[str] = ()  # of groups that were chosen one by one, each once
    names_members: bool = False  # sent to some members only
    channel: str = Channel.SYSTEM_NOTIFICATION
    options: MessageOptions = field(default_factory=MessageOptions)
    rule: Rule | None = None
    name: str = ""  # of a saved audience
    is_missing: bool = False  # the saved audience does not exist

    @property
    def totals(self) -> dict[str, AudienceTotals]:
        """Totals by reason of exclusion; ``INCLUDED`` for the included groups."""
        totals = self._totals_if_members_named.copy()
        if not self.names_members and ExclusionReason.RECIPIENTS in totals:
            totals[INCLUDED] = totals.get(INCLUDED, AudienceTotals()) + totals.pop(
                ExclusionReason.RECIPIENTS
            )
        return totals

    @property
    def all_members_only_count(self) -> int:
        """How many groups would be excluded if members were named."""
        return self._totals_if_members_named.get(
            ExclusionReason.RECIPIENTS, AudienceTotals()
        ).groups

    @cached_property
    def _totals_if_members_named(self) -> dict[str, AudienceTotals]:
        groups = self.selected.annotate(reason=self._reason(names_members=True))
        since = timezone.now() - CHECKED_WITHIN
        unchecked = Q(checked_at=None) | Q(checked_at__lt=since)
        rows = (
            groups.order_by()
            .values_list("reason")
            .annotate(
                groups=Count("pk"),
                people=Sum("member_count"),
                unchecked=Count("pk", filter=unchecked),
                uncounted=Count("pk", filter=Q(member_count=0)),
            )
        )
        return {reason: AudienceTotals(*numbers) for reason, *numbers in rows}

    @property
    def included(self) -> AudienceTotals:
        return self.totals.get(INCLUDED, AudienceTotals())

    @property
    def count(self) -> int:
        return self.included.groups

    @property
    def excluded(self) -> dict[ExclusionReason, int]:
        """The number of excluded groups by reason, in the order of the reasons."""
        counts = {
            reason: self.totals.get(reason, AudienceTotals()).groups
            for reason in ExclusionReason
        }
        return {reason: count for reason, count in counts.items() if count}

    @property
    def excluded_count(self) -> int:
        return sum(self.excluded.values())

    @cached_property
    def unknown_ids(self) -> list[str]:
        """The chosen IDs without a ``ChatGroup``, in the order of the choice."""
        if sum(totals.groups for totals in self.totals.values()) == len(self.ids):
            return []
        known = set(self.selected.order_by().values_list("group_id", flat=True))
        return [group_id for group_id in self.ids if group_id not in known]

    def included_groups(self) -> QuerySet[ChatGroup]:
        """Included groups, ordered by name.

        Filters by the reason rather than by indexed columns: nearly all groups are in
        use, and a lookup of each in an index takes SQLite five times as long.
        """
        return self._with_reason().filter(reason=INCLUDED).order_by("name", "id")

    def excluded_groups(self, *reasons: ExclusionReason) -> QuerySet[Any]:
        """Excluded groups with their ``reason``, ordered by name; for any reason if
        ``reasons`` is empty.
        """
        groups = self._with_reason().order_by("name", "id")
        if reasons:
            return groups.filter(reason__in=reasons)
        return groups.exclude(reason=INCLUDED)

    def excepted_groups(self) -> list[dict[str, str]]:
        """ID and present name of the groups that the rule names as exceptions."""
        ids = self.rule.exceptions if self.rule else ()
        names = dict(groups_among(ids).values_list("group_id", "name")) if ids else {}
        return [{"group_id": one, "name": names.get(one, "")} for one in ids]

    def first(self, most: int) -> list[ChatGroup]:
        """The first included groups, in the order of the choice, else by name."""
        if self.kind != Kind.CHOSEN:
            return list(self.included_groups()[:most])
        ids = self.ids[:most]
        groups = replace(self, selected=groups_among(ids)).included_groups()
        by_id = {group.group_id: group for group in groups.order_by()}
        return [by_id[group_id] for group_id in ids if group_id in by_id]

    def group_pks(self) -> list[int]:
        """Primary keys of all included groups, in the order of ``first``."""
        if self.kind != Kind.CHOSEN:
            return list(self.included_groups().values_list("pk", flat=True))
        pks = dict(self.included_groups().order_by().values_list("group_id", "pk"))
        return [pks[group_id] for group_id in self.ids if group_id in pks]

    def _with_reason(self) -> QuerySet[Any]:
        reason = self._reason(names_members=self.names_members)
        return self.selected.annotate(reason=reason)

    def _reason(self, *, names_members: bool) -> Case:
        channel = CHANNELS[self.channel]
        used = channel.used_features(self.options)
        if names_members:
            used.append("recipients")
        return Case(
            When(~Q(state=ChatGroup.State.IN_USE), then=F("state")),
            When(
                ~Q(type__in=GroupType.values),
                then=Value(ExclusionReason.UNKNOWN_TYPE.value),
            ),
            *(
                When(
                    type__in=sorted(channel.refused_by_type[feature]),
                    then=Value(reason.value),
                )
                for feature, reason in REASONS.items()
                if feature in used
            ),
            default=Value(INCLUDED),
            output_field=CharField(),
        )


def build_audience(
    kind: str,
    values: Values,
    *,
    names_members: bool = False,
    channel: str = Channel.SYSTEM_NOTIFICATION,
    options: MessageOptions = MessageOptions(),  # noqa: B008  immutable
) -> Audience:
    """The audience of a choice; ``values`` as in ``Notification.audience_values``.

    ``names_members``: it is sent to some members only. Types of groups that refuse this,
    the channel or one of its options are excluded.
    """
    message: dict[str, Any] = {
        "names_members": names_members,
        "channel": channel,
        "options": options,
    }
    if kind == Kind.EVERY:
        return Audience(kind, ChatGroup.objects.all(), **message)
    rule, name = None, ""
    if isinstance(values, Mapping):
        rule = Rule.from_json(values)
    elif kind == Kind.SAVED:
        name = "".join(values[:1])
        # PostgreSQL refuses a null character, which no name holds.
        saved = SavedAudience.objects.filter(name=name.replace("\0", "\ufffd")).first()
        if saved is None:
            none = ChatGroup.objects.none()
            return Audience(kind, none, name=name, is_missing=True)
        rule = saved.rule
    if rule is not None:
        groups = ChatGroup.objects.fitting(rule)
        return Audience(kind, groups, rule=rule, name=name, **message)
    ids = list(dict.fromkeys(values))
    return Audience(kind, groups_among(ids), ids=ids, **message)


def count_all_groups() -> int:
    """The number of groups that the audience “every group” includes."""
    return build_audience(Kind.EVERY, []).included_groups().count()


def saved_audience_counts() -> dict[str, int]:
    """The number of included groups by name of the saved audience; two queries.

    One pass over the groups counts all audiences.
    """
    saved = list(SavedAudience.objects.order_by("name"))
    counts = (
        build_audience(Kind.EVERY, [])
        .included_groups()
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
    """The groups that match a rule now, for all members."""
    return build_audience(Kind.RULE, rule.as_json())


def audience_of(notification: Notification) -> Audience:
    return build_audience(
        notification.audience,
        notification.audience_values,
        names_members=bool(notification.recipients),
        channel=notification.channel,
        options=notification.options,
    )
