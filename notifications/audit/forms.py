"""The form with the filters of the audit trail."""

from ipaddress import ip_address
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from notifications.audit.queries import AmbiguousActor, actor_matching
from notifications.audit_log import EVENTS
from notifications.models import AuditEntry
from notifications.ui.dates import in_period
from notifications.ui.filters import Day, FilterForm, NotificationNumber, OneOf, Search


class TrailFilterForm(FilterForm):
    who = Search(_("Who"))
    action = OneOf(_("What"))
    since = Day(_("From"))
    until = Day(_("To"))
    notification = NotificationNumber()
    q = Search(_("Address or request number"))

    actor = ""
    request_number: UUID | None = None

    def fill_choices(self) -> None:
        actions = [(word, capfirst(str(e.label))) for word, e in EVENTS.items()]
        self.set_choices("action", actions)

    def clean_who(self) -> str:
        text: str = self.cleaned_data["who"]
        try:
            self.actor = actor_matching(text) if text else ""
        except AmbiguousActor as several:
            raise ValidationError(
                _("Several people match: %(names)s. Type more of the name.")
                % {"names": ", ".join(several.names)}
            ) from None
        return text

    def clean_q(self) -> str:
        """A whole address or request number: both are looked up in an index."""
        text: str = self.cleaned_data["q"]
        if not text:
            return text
        try:
            self.request_number = UUID(text)
        except ValueError:
            pass
        else:
            return str(self.request_number)
        try:
            return str(ip_address(text))
        except ValueError:
            raise ValidationError(
                _("Enter a whole address, such as 192.0.2.7, or a whole number.")
            ) from None

    def entries(self) -> QuerySet[AuditEntry]:
        """The entries that match the filters, newest first."""
        data = self.cleaned_data
        notification = data.get("notification")
        conditions = {
            "actor": self.actor,
            "action": data.get("action"),
            "notification_number": notification,
            "address": "" if self.request_number else data.get("q"),
            "request_number": self.request_number,
        }
        rows = AuditEntry.objects.all()
        if notification or self.request_number:
            # These match few rows. SQLite, which has no statistics of the columns,
            # would use the index of another filter, unless that filter is an expression.
            rows = rows.alias(
                plain_actor=Concat("actor", Value("")),
                plain_action=Concat("action", Value("")),
            )
            conditions["plain_actor"] = conditions.pop("actor")
            conditions["plain_action"] = conditions.pop("action")
        rows = rows.filter(
            **{name: value for name, value in conditions.items() if value}
        )
        return in_period(rows, "at", self.day("since"), self.day("until")).order_by(
            "-id"
        )
