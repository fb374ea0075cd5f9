"""The list of chat groups as a CSV file, and the audited download of it."""

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import permissions
from notifications.groups.audit_events import GROUPS_EXPORTED
from notifications.models import ChatGroup
from notifications.permissions import require
from notifications.ui.downloads import (
    Download,
    Piece,
    Values,
    csv_header,
    csv_lines,
    escaped,
    pieces,
)

PAGE = 500  # also what one query may name

COLUMNS = [
    "group_id",
    "type",
    "name",
    "member_count",
    "labels",
    "state",
    "checked_at",
]

BETWEEN_LABELS = ";"


def groups_file(groups: QuerySet[ChatGroup]) -> Generator[Piece]:
    """The whole file, UTF-8 with a byte order mark."""
    return pieces(
        csv_header(COLUMNS),
        (csv_lines([*map(escaped, row)] for row in page) for page in _pages(groups)),
    )


def _pages(groups: QuerySet[ChatGroup]) -> Iterator[list[Values]]:
    """Values in the order of ``COLUMNS``, by id, at most ``PAGE`` rows at once.

    Types and states are the stored words; times are ISO 8601 with their offset. Memory
    does not grow with the number of rows.
    """
    last = 0
    while True:
        following = groups.filter(pk__gt=last).order_by("pk")
        page = list(
            following.values_list(
                "pk", "group_id", "type", "name", "member_count", "state", "checked_at"
            )[:PAGE]
        )
        if not page:
            return
        labels = _labels([row[0] for row in page])
        yield [
            (*values, BETWEEN_LABELS.join(labels[pk]), state, _local(checked_at))
            for pk, *values, state, checked_at in page
        ]
        last = page[-1][0]


def _labels(groups: list[int]) -> dict[int, list[str]]:
    """The labels of each group, sorted."""
    put = ChatGroup.labels.through.objects.filter(chatgroup__in=groups)
    found: dict[int, list[str]] = defaultdict(list)
    for group, name in put.order_by("label__name").values_list(
        "chatgroup_id", "label__name"
    ):
        found[group].append(name)
    return found


def _local(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None


def download_groups(
    user: User, groups: QuerySet[ChatGroup], *, filters: Mapping[str, str]
) -> Download:
    """The groups as a CSV file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, permissions.SEE_GROUPS)
    return Download(
        GROUPS_EXPORTED,
        user.get_username(),
        groups_file(groups),
        file_format="csv",
        filters=filters,
        groups=groups.count(),
    )


def file_name() -> str:
    return f"groups-{timezone.localdate():%Y-%m-%d}.csv"
