"""Many chat groups with Chinese names, types, sizes and labels, as in a large account."""

from datetime import UTC, datetime, timedelta

from notifications.models import ChatGroup, GroupType, Label

PLACES = ["滨海", "望京", "西湖", "浦东", "天河", "武侯", "雨花", "岳麓"]
THEMES = [
    "直播间：李姐开播",
    "徒步爱好者",
    "校区家长",
    "读书会",
    "二手集市",
    "亲子活动",
]
LABELS = ["North", "South", "VIP", "测试", "Schools"]
CHECKED = datetime(2026, 3, 2, 9, tzinfo=UTC)
BLOCK = 5000


def make_many_groups(count: int) -> list[ChatGroup]:
    """Create ``count`` groups in an empty table, each with one or two labels.

    One of 50 is switched off, one of 70 closed, one of 100 has an unknown type.
    """
    groups = ChatGroup.objects.bulk_create(map(_group, range(count)), batch_size=BLOCK)
    labels = [Label.objects.get_or_create(name=name)[0] for name in LABELS]
    link = ChatGroup.labels.through
    links = [
        link(chatgroup_id=group.pk, label_id=labels[turn % len(labels)].pk)
        for place, group in enumerate(groups)
        for turn in ({place, place // 7} if place % 2 else {place})
    ]
    link.objects.bulk_create(links, batch_size=BLOCK, ignore_conflicts=True)
    return groups


def _group(place: int) -> ChatGroup:
    State = ChatGroup.State  # noqa: N806  a class
    state = State.SWITCHED_OFF if place % 50 == 7 else State.IN_USE
    known = GroupType.values[place % len(GroupType.values)]
    name = f"{PLACES[place % len(PLACES)]}{THEMES[place // 3 % len(THEMES)]} {place}"
    return ChatGroup(
        group_id=f"@TGS#{place:06d}",
        name=name,
        former_names="旧名 Old name" if place % 20 == 3 else "",
        type="Topic" if place % 100 == 99 else known,
        member_count=place * 37 % 6000,
        state=State.CLOSED if place % 70 == 11 else state,
        checked_at=CHECKED - timedelta(hours=place % 400) if place % 30 else None,
    )
