"""What the filters above the lists can say, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifications.history.search.facets import UnsealedNotification
from notifications.models import Delivery, GroupType
from notifications.ui.dates import end_of, start_of


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Empty values mean: all. Days are days of the current time zone, both included."""

    text: str = ""
    since: date | None = None
    until: date | None = None
    status: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """As above; ``group_ids`` are those that ``history.group_ids_matching`` found."""

    group_ids: Sequence[str] | None = None
    since: date | None = None
    until: date | None = None
    status: str = ""
    group_type: str = ""
    sender: str = ""
    code: int | None = None
    reason: str = ""
    notification: int | None = None

    @property
    def alike(self) -> dict[str, Any]:
        """What one delivery of a notification may have and another not."""
        return given_values(
            status=self.status,
            group_type=self.group_type,
            error_code=self.code,
            reason=self.reason,
        )

    @property
    def looked_up(self) -> dict[str, Any]:
        """``alike`` with all that it implies, so that the index of what is alike is used.

        That index begins with notification, status and type: each is named.
        """
        statuses = Delivery.Status.values
        if self.code is not None:
            # As the constraints of the row have it.
            statuses = (
                ["accepted"] if self.code == 0 else ["failed", "queued", "sending"]
            )
        if self.reason:
            statuses = ["unconfirmed"]
        implied = {"status__in": statuses, "group_type__in": GroupType.values}
        return implied | self.alike

    @property
    def conditions(self) -> dict[str, Any]:
        """All but the groups: tallies and deliveries have fields of the same names."""
        return self.alike | given_values(
            sender_name=self.sender,
            notification_id=self.notification,
            created_at__gte=start_of(self.since) if self.since else None,
            created_at__lt=end_of(self.until) if self.until else None,
        )

    def may_mean(self, live: UnsealedNotification) -> bool:
        """Whether deliveries of this notification can be among those wanted."""
        return (
            self.notification in (None, live.notification)
            and self.sender in ("", live.sender_name)
            and (self.since is None or live.created_at >= start_of(self.since))
            and (self.until is None or live.created_at < end_of(self.until))
        )


def given_values(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}
