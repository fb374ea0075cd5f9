"""Filter forms of the lists of notifications and deliveries."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.delivery.explanations import explain_code, explain_reason
from notifications.history.search.facets import facets
from notifications.history.search.filters import (
    SENDS,
    DeliveryFilter,
    NotificationFilter,
)
from notifications.history.search.queries import TooManyGroups, group_ids_matching
from notifications.models import Channel, Delivery, GroupType, Notification
from notifications.tencent.outcomes import Reason
from notifications.ui.filters import Day, FilterForm, NotificationNumber, OneOf, Search

# Reasons with which a delivery can end; the others lead to a retry.
REASONS = [
    Reason.NO_ANSWER,
    Reason.CONNECTION_LOST,
    Reason.HTTP_STATUS,
    Reason.BAD_ANSWER,
    Reason.CONTRADICTION,
    Reason.TOO_LARGE,
    Reason.DEFECT,
    Reason.WORKER_LOST,
    Reason.IN_HISTORY,
    Reason.NOT_IN_HISTORY,
    Reason.REPEATED,
    Reason.DROPPED,
    Reason.RECALLED_BEFORE,
    Reason.STILL_THERE,
    Reason.GONE,
    Reason.NOT_KNOWN,
    Reason.TAKEN_BACK,
]


class NotificationFilterForm(FilterForm):
    q = Search(_("Search by message, note or sender"))
    since = Day(_("From"))
    until = Day(_("To"))
    status = OneOf(_("State"), Notification.Status.choices)
    sender = OneOf(_("Sender"))
    channel = OneOf(_("Channel"), Channel.choices)

    def fill_choices(self) -> None:
        self.fill_senders(facets().senders)

    @property
    def filters(self) -> NotificationFilter:
        return NotificationFilter(
            text=self.value("q"),
            since=self.day("since"),
            until=self.day("until"),
            status=self.value("status"),
            sender=self.value("sender"),
            channel=self.value("channel"),
        )


class DeliveryFilterForm(FilterForm):
    q = Search(_("Search by group name or ID"))
    since = Day(_("From"))
    until = Day(_("To"))
    status = OneOf(_("Result"), Delivery.Status.choices)
    type = OneOf(_("Group type"), GroupType.choices)
    sender = OneOf(_("Sender"))
    code = OneOf(_("Error code"))
    reason = OneOf(_("Reason"))
    channel = OneOf(
        _("Channel"),
        [(SENDS, _("All but recalls and corrections")), *Channel.choices],
    )
    notification = NotificationNumber()

    group_ids: list[str] | None = None

    def fill_choices(self) -> None:
        self.facets = facets()
        self.fill_senders(self.facets.senders)
        codes = [explain_code(code) for code in self.facets.codes]
        self.set_choices(
            "code", [(why.mark, f"{why.mark} · {why.meaning}") for why in codes]
        )
        self.set_choices(
            "reason", [(r.value, explain_reason(r).meaning) for r in REASONS]
        )

    def clean_q(self) -> str:
        term: str = self.cleaned_data["q"]
        if term:
            try:
                self.group_ids = group_ids_matching(term)
            except TooManyGroups:
                raise ValidationError(
                    _("More than 500 groups match. Type more of the name.")
                ) from None
        return term

    @property
    def filters(self) -> DeliveryFilter:
        code = self.value("code")
        return DeliveryFilter(
            group_ids=self.group_ids,
            since=self.day("since"),
            until=self.day("until"),
            status=self.value("status"),
            group_type=self.value("type"),
            sender=self.value("sender"),
            code=int(code) if code else None,
            reason=self.value("reason"),
            notification=self.cleaned_data.get("notification"),
            channel=self.value("channel"),
        )
