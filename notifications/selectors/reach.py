"""How many groups and members a rule means at this moment."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from notifications.models import ChatGroup, GroupType, Rule

IN_USE = Q(state=ChatGroup.State.IN_USE)
OF_KNOWN_TYPE = Q(type__in=GroupType.values)


@dataclass(frozen=True, slots=True)
class Reach:
    """``groups`` would get it, with so many members; the others are left out."""

    groups: int
    members: int
    switched_off: int
    closed: int
    unknown_type: int  # and in use

    @property
    def left_out(self) -> int:
        return self.switched_off + self.closed + self.unknown_type


def reach(rule: Rule) -> Reach:
    """One pass over the groups that fit."""
    return Reach(
        **ChatGroup.objects.fitting(rule).aggregate(
            groups=Count("pk", filter=IN_USE & OF_KNOWN_TYPE),
            members=Sum("member_count", filter=IN_USE & OF_KNOWN_TYPE, default=0),
            switched_off=Count("pk", filter=Q(state=ChatGroup.State.SWITCHED_OFF)),
            closed=Count("pk", filter=Q(state=ChatGroup.State.CLOSED)),
            unknown_type=Count("pk", filter=IN_USE & ~OF_KNOWN_TYPE),
        )
    )
