"""The values of the filters of the lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifications.history.search.facets import UnsealedNotification
from notifications.models import AMENDING, Delivery, GroupType
from notifications.models.delivery_constraints import VERDICTS
from notifications.ui.dates import end_of, start_of


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Empty values match all rows. Days are in the current time zone, both included."""

    text: str = ""
    since: date | None = None
    until: date | None = None
    status: str = ""
    sender: str = ""
    channel: str = ""


# Instead of a channel: all but recalls and corrections, as the Overview counts.
SENDS = "sends"


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """As above; ``group_ids`` is the result of ``queries.group_ids_matching``.

    ``channel`` may be ``SENDS``.
    """

    group_ids: Sequence[str] | None = None
    since: date | None = None
    until: date | None = None
    status: str = ""
    group_type: str = ""
    sender: str = ""
    code: int | None = None
    reason: str = ""
    notification: int | None = None
    channel: str = ""

    @property
    def delivery_conditions(self) -> dict[str, Any]:
        """Conditions on columns that vary within a notification."""
        return non_empty(
            status=self.status,
            group_type=self.group_type,
            error_code=self.code,
            reason=self.reason,
        )

    @property
    def index_conditions(self) -> dict[str, Any]:
        """``delivery_conditions`` and implied conditions, for the use of an index.

        The index begins with notification, status and type.
        """
        statuses = Delivery.Status.values
        if self.code is not None:
            # The constraints of the table allow a code only with these.
            statuses = ["failed", "queued", "sending", "unconfirmed"]
            if self.code == 0:
                statuses = ["accepted", *statuses]
        if self.reason:
            of_verdict = self.reason in VERDICTS
            statuses = (
                ["accepted", "failed", "queued"] if of_verdict else ["unconfirmed"]
            )
        implied = {"status__in": statuses, "group_type__in": GroupType.values}
        return implied | self.delivery_conditions

    @property
    def conditions(self) -> dict[str, Any]:
        """All but the groups; for ``Tally`` and ``Delivery``, which share these fields."""
        return self.delivery_conditions | non_empty(
            sender_name=self.sender,
            notification_id=self.notification,
            # The counts of sealed and archived deliveries have no channel.
            notification__channel="" if self.channel == SENDS else self.channel,
            notification__amends__isnull=True if self.channel == SENDS else None,
            created_at__gte=start_of(self.since) if self.since else None,
            created_at__lt=end_of(self.until) if self.until else None,
        )

    def may_match(self, unsealed: UnsealedNotification) -> bool:
        """Whether deliveries of this notification can match the filters."""
        return (
            self.notification in (None, unsealed.notification)
            and self.sender in ("", unsealed.sender_name)
            and self._has_channel(unsealed.channel)
            and (self.since is None or unsealed.created_at >= start_of(self.since))
            and (self.until is None or unsealed.created_at < end_of(self.until))
        )

    def _has_channel(self, channel: str) -> bool:
        if self.channel == SENDS:
            return channel not in AMENDING
        return self.channel in ("", channel)


def non_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}
