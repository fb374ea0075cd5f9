"""Export of the chat groups to a CSV file."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import permissions
from notifications.groups.audit_events import GROUPS_EXPORTED
from notifications.models import ChatGroup
from notifications.ui.downloads import (
    PAGE_ROWS,
    AuditedDownload,
    Column,
    Values,
    export_pieces,
    fields_of,
    local_time,
    pages_by_id,
)

# Types and states are exported as stored.
COLUMNS = [
    Column("group_id", "group_id"),
    Column("type", "type"),
    Column("name", "name"),
    Column("member_count", "member_count"),
    Column("labels", cell=";".join),
    Column("state", "state"),
    Column("checked_at", "checked_at", local_time),
]

LABELS_INDEX = [column.name for column in COLUMNS].index("labels")


def pages(
    groups: QuerySet[ChatGroup], *, size: int = PAGE_ROWS
) -> Iterator[list[Values]]:
    """Pages of groups with the values of ``COLUMNS``, ordered by primary key."""
    fields = ["pk", *fields_of(COLUMNS)]
    for page in pages_by_id(groups, fields, size=size):
        labels = _labels([pk for pk, *_values in page])
        yield [
            [*values[:LABELS_INDEX], labels[pk], *values[LABELS_INDEX:]]
            for pk, *values in page
        ]


def _labels(pks: list[int]) -> dict[int, list[str]]:
    """Sorted labels by primary key of the group."""
    links = ChatGroup.labels.through.objects.filter(chatgroup__in=pks)
    links = links.order_by("label__name")
    labels: dict[int, list[str]] = defaultdict(list)
    for pk, name in links.values_list("chatgroup_id", "label__name"):
        labels[pk].append(name)
    return labels


def download_groups(
    user: User, groups: QuerySet[ChatGroup], *, filters: Mapping[str, str]
) -> AuditedDownload:
    """The groups as a CSV file; ``filters`` is recorded in the audit entry.

    Raises ``PermissionDenied``.
    """
    return AuditedDownload(
        GROUPS_EXPORTED,
        user,
        [permissions.SEE_GROUPS],
        export_pieces(COLUMNS, pages(groups), "csv"),
        name=f"groups-{timezone.localdate():%Y-%m-%d}",
        file_format="csv",
        filters=dict(filters),
        groups=groups.count(),
    )
