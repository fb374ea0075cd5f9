"""The list of chat groups as a CSV file, and the audited download of it."""

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

BETWEEN_LABELS = ";"

# Types and states are the stored words.
COLUMNS = [
    Column("group_id", "group_id"),
    Column("type", "type"),
    Column("name", "name"),
    Column("member_count", "member_count"),
    Column("labels", cell=BETWEEN_LABELS.join),
    Column("state", "state"),
    Column("checked_at", "checked_at", local_time),
]

LABELS = [column.name for column in COLUMNS].index("labels")


def pages(
    groups: QuerySet[ChatGroup], *, size: int = PAGE_ROWS
) -> Iterator[list[Values]]:
    """The groups with the values of ``COLUMNS``, in order of id."""
    fields = ["pk", *fields_of(COLUMNS)]
    for page in pages_by_id(groups, fields, size=size):
        labels = _labels([pk for pk, *_values in page])
        yield [[*values[:LABELS], labels[pk], *values[LABELS:]] for pk, *values in page]


def _labels(groups: list[int]) -> dict[int, list[str]]:
    """The labels of each group, sorted."""
    put = ChatGroup.labels.through.objects.filter(chatgroup__in=groups)
    found: dict[int, list[str]] = defaultdict(list)
    for group, name in put.order_by("label__name").values_list(
        "chatgroup_id", "label__name"
    ):
        found[group].append(name)
    return found


def download_groups(
    user: User, groups: QuerySet[ChatGroup], *, filters: Mapping[str, str]
) -> AuditedDownload:
    """The groups as a CSV file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    return AuditedDownload(
        GROUPS_EXPORTED,
        user,
        [permissions.SEE_GROUPS],
        export_pieces(COLUMNS, pages(groups), "csv"),
        name=f"groups-{timezone.localdate():%Y-%m-%d}",
        file_format="csv",
        filters=filters,
        groups=groups.count(),
    )
