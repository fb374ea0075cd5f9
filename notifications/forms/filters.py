"""The filters above the lists: one form each, all of it in the address (GET).

A value that makes no sense gets a sentence beside its field and counts as not given.
"""

from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.im.outcomes import Reason
from notifications.models import (
    ChatGroup,
    Delivery,
    GroupType,
    Label,
    Notification,
    Rule,
)
from notifications.selectors.explanations import explain_code, explain_reason
from notifications.selectors.history import TooManyGroups, group_ids_matching
from notifications.selectors.occurring import Occurring, occurring
from notifications.selectors.wanted import DeliveryFilter, NotificationFilter

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
OUT_OF_RANGE = _("Choose a day between 2000 and 2099.")
MAX_ID = 2**63 - 1
ALL = ("", _("All"))
NOT_IN_LIST = {"invalid_choice": _("“%(value)s” is not in this list.")}
UNKNOWN_TYPE = ("unknown", _("Unknown type"))
TODAY, THIS_WEEK, EARLIER, NEVER = "day", "week", "earlier", "never"
CHECKED = [
    (TODAY, _("Within a day")),
    (THIS_WEEK, _("Within a week")),
    (EARLIER, _("Longer ago")),
    (NEVER, pgettext_lazy("checked", "Never")),
]
# Reasons that a delivery can end with; after the others it is tried again.
REASONS = [
    Reason.NO_ANSWER,
    Reason.CONNECTION_LOST,
    Reason.HTTP_STATUS,
    Reason.BAD_ANSWER,
    Reason.TOO_LARGE,
    Reason.WORKER_LOST,
]


class Search(forms.CharField):
    widget = forms.TextInput(attrs={"type": "search", "spellcheck": "false"})

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, required=False, max_length=100)


class Day(forms.DateField):
    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            error_messages={"invalid": _("There is no such day.")},
            validators=[
                MinValueValidator(FIRST_DAY, OUT_OF_RANGE),
                MaxValueValidator(LAST_DAY, OUT_OF_RANGE),
            ],
        )


class OneOf(forms.ChoiceField):
    """A list that begins with "All"; without choices, the form fills them in."""

    def __init__(self, label: Any, choices: Any = ()) -> None:
        super().__init__(
            label=label,
            required=False,
            choices=[ALL, *choices],
            error_messages=NOT_IN_LIST,
        )


class NotificationNumber(forms.IntegerField):
    def __init__(self) -> None:
        super().__init__(
            label=_("Notification no."),
            required=False,
            min_value=1,
            max_value=MAX_ID,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            error_messages={"invalid": _("Enter the number of a notification.")},
        )


class FilterForm(forms.Form):
    """``active`` holds what is given and makes sense, by name of the parameter."""

    use_required_attribute = False
    # The word in the address is one that Python keeps for itself.
    PARAMETERS: ClassVar = {"since": "from", "until": "to"}

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        self.fill_choices()
        self.full_clean()
        self.active = {
            self.add_prefix(name): str(value)
            for name, value in self.cleaned_data.items()
            if value not in ("", None)
        }

    def add_prefix(self, field_name: str) -> str:
        return self.PARAMETERS.get(field_name, field_name)

    def fill_choices(self) -> None:
        """For lists that come from the database."""

    @classmethod
    def parameters(cls) -> list[str]:
        """The names in the address, in the order of the fields."""
        return [cls.PARAMETERS.get(name, name) for name in cls.base_fields]

    @property
    def query(self) -> str:
        """The filters as the query of an address, without "?"."""
        return urlencode(self.active)

    def given(self, name: str) -> Any:
        return self.cleaned_data.get(name) or ""

    def day(self, name: str) -> date | None:
        return self.cleaned_data.get(name)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        return data

    def fill_senders(self, found: Occurring) -> None:
        choices = [
            (name, f"{name} · {full}" if full else name) for name, full in found.senders
        ]
        self.set_choices("sender", choices)

    def set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [ALL, *choices]


class NotificationFilterForm(FilterForm):
    q = Search(_("Search by message, note or sender"))
    since = Day(_("From"))
    until = Day(_("To"))
    status = OneOf(_("State"), Notification.Status.choices)
    sender = OneOf(_("Sender"))

    def fill_choices(self) -> None:
        self.fill_senders(occurring())

    @property
    def filters(self) -> NotificationFilter:
        return NotificationFilter(
            text=self.given("q"),
            since=self.day("since"),
            until=self.day("until"),
            status=self.given("status"),
            sender=self.given("sender"),
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
    notification = NotificationNumber()

    group_ids: list[str] | None = None

    def fill_choices(self) -> None:
        self.occurring = occurring()
        self.fill_senders(self.occurring)
        codes = [explain_code(code) for code in self.occurring.codes]
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
        code = self.given("code")
        return DeliveryFilter(
            group_ids=self.group_ids,
            since=self.day("since"),
            until=self.day("until"),
            status=self.given("status"),
            group_type=self.given("type"),
            sender=self.given("sender"),
            code=int(code) if code else None,
            reason=self.given("reason"),
            notification=self.cleaned_data.get("notification"),
        )


class GroupFilterForm(FilterForm):
    q = Search(_("Search by name or group ID"))
    type = OneOf(_("Group type"), [*GroupType.choices, UNKNOWN_TYPE])
    label = OneOf(_("Label"))
    state = OneOf(_("State"), ChatGroup.State.choices)
    checked = OneOf(_("Last checked"), CHECKED)

    def fill_choices(self) -> None:
        names = Label.objects.values_list("name", flat=True)
        self.set_choices("label", [(name, name) for name in names])

    def apply(self, groups: QuerySet[ChatGroup]) -> QuerySet[ChatGroup]:
        """As one list of IDs: else SQLite looks into every row in the order of names."""
        found = ChatGroup.objects.order_by()
        if term := self.given("q"):
            found = found.matching(term)
        if self.given("type") == UNKNOWN_TYPE[0]:
            found = found.exclude(type__in=GroupType.values)
        elif group_type := self.given("type"):
            found = found.filter(type=group_type)
        if label := self.given("label"):
            found = found.fitting(Rule(labels=(label,)))
        if state := self.given("state"):
            found = found.filter(state=state)
        found = found.filter(_checked(self.given("checked")))
        return groups.filter(pk__in=found.values("pk")) if self.active else groups

    def in_words(self) -> str:
        """What is asked for: ``Group type: Live room · State: In use``."""
        return " · ".join(
            f"{self[name].label}: {self._shown(name, value)}"
            for name, value in self.active.items()
        )

    def _shown(self, name: str, value: str) -> object:
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            return value
        choices: Any = field.choices
        return dict(choices)[value]


def _checked(when: str) -> Q:
    """Groups by the last time that somebody or something vouched for them."""
    if not when:
        return Q()
    if when == NEVER:
        return Q(checked_at=None)
    days = {TODAY: 1, THIS_WEEK: 7, EARLIER: 7}[when]
    since = timezone.now() - timedelta(days=days)
    return Q(checked_at__lt=since) if when == EARLIER else Q(checked_at__gte=since)
