"""What the Overview shows: figures, pictures and tables, each linked to its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import Delivery, GroupType
from notifications.selectors.overview import RESULTS, Count, Overview, Trouble, overview

from .charts import Bar, Part, columns, strip

PERIODS = [7, 14, 30, 90]  # days
USUAL_PERIOD = 14


@dataclass(frozen=True, slots=True)
class Cell:
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class TypeRow:
    """How deliveries to groups of one type ended."""

    label: str
    count: Count
    address: str


@dataclass(frozen=True, slots=True)
class TroubleRow:
    trouble: Trouble
    address: str
    picture: SafeString

    @property
    def heading(self) -> str:
        """Above a column of numbers: the code, or the words where there is none."""
        return self.trouble.why.mark or self.trouble.why.meaning


class Links:
    """Addresses of the list of deliveries, within the days of the Overview."""

    def __init__(self, days: Sequence[date]) -> None:
        self.list = reverse("admin:deliveries")
        self.period = {"from": days[0].isoformat(), "to": days[-1].isoformat()}

    def to(self, **filters: str) -> str:
        return f"{self.list}?{urlencode(self.period | filters)}"

    def to_day(self, day: date, filters: Mapping[str, str]) -> str:
        one = {"from": day.isoformat(), "to": day.isoformat()}
        return f"{self.list}?{urlencode(one | dict(filters))}"


def context(request: HttpRequest) -> dict[str, object]:
    """For the template, of the period that the address names (``?days=30``)."""
    days = _period(request)
    found = overview(days)
    links = Links(found.days)
    top = [_trouble(found, trouble, links) for trouble in found.top_troubles]
    attention = "failed" if found.all.by_status["failed"] else "unconfirmed"
    return {
        "figures": found,
        "period": days,
        "periods": PERIODS,
        "results": [(status.value, status.label) for status in RESULTS],
        "accepted_today": links.to_day(found.days[-1], {"status": "accepted"}),
        "whole_period": links.to(),
        "attention": links.to(status=attention),
        "per_day": columns(
            [_bar(count, links) for count in found.per_day], _sum(found)
        ),
        "day_rows": _day_rows(found, links),
        "types": [
            TypeRow(
                str(GroupType(count.of).label),
                count,
                links.to(type=str(count.of.value)),
            )
            for count in found.per_type
        ],
        "troubles": top,
        "trouble_rows": _trouble_rows(found, links),
    }


def _period(request: HttpRequest) -> int:
    """Anything that is not offered counts as not given."""
    given = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == given), USUAL_PERIOD)


def _sum(found: Overview) -> str:
    counts = found.all.by_status
    return _(
        "Deliveries per day: %(accepted)s accepted, %(failed)s failed, "
        "%(unconfirmed)s not confirmed, %(cancelled)s cancelled."
    ) % {status.value: f"{counts[status]:,}" for status in RESULTS}


def _bar(count: Count, links: Links) -> Bar:
    day = count.of
    title = f"{day}: " + ", ".join(
        f"{count.by_status[status]:,} {status.label}"
        for status in RESULTS
        if count.by_status[status]
    )
    return Bar(
        tick=f"{day:%m-%d}",
        title=title,
        address=links.to_day(day, {}),
        parts=[
            Part(
                status.value,
                count.by_status[status],
                title,
                links.to_day(day, {"status": status.value}),
            )
            for status in RESULTS
        ],
    )


def _day_rows(found: Overview, links: Links) -> list[tuple[date, list[Cell]]]:
    """The newest first; days without a result are left out."""
    return [
        (
            count.of,
            [
                Cell(
                    count.by_status[status],
                    links.to_day(count.of, {"status": status.value}),
                )
                for status in RESULTS
            ],
        )
        for count in reversed(found.per_day)
        if any(count.by_status[status] for status in RESULTS)
    ]


def _trouble(found: Overview, trouble: Trouble, links: Links) -> TroubleRow:
    most = max(max(other.per_day) for other in found.top_troubles)
    kind = trouble.filter.get("status", Delivery.Status.UNCONFIRMED.value)
    per_day = list(zip(found.days, trouble.per_day, strict=True))
    parts = [
        Part(kind, count, f"{day}: {count:,}", links.to_day(day, trouble.filter))
        for day, count in per_day
    ]
    busiest, count = max(per_day, key=lambda pair: pair[1])
    says = ngettext(
        "Per day; most on %(day)s: %(n)s delivery",
        "Per day; most on %(day)s: %(n)s deliveries",
        count,
    ) % {"day": busiest, "n": f"{count:,}"}
    return TroubleRow(trouble, links.to(**trouble.filter), strip(parts, most, says))


def _trouble_rows(found: Overview, links: Links) -> list[tuple[date, list[Cell]]]:
    """As ``_day_rows``, with a number for each of the reasons that are shown."""
    rows = [
        (
            day,
            [
                Cell(t.per_day[place], links.to_day(day, t.filter))
                for t in found.top_troubles
            ],
        )
        for place, day in enumerate(found.days)
    ]
    return [row for row in reversed(rows) if any(cell.count for cell in row[1])]
