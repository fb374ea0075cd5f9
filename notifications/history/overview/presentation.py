"""Template context of the Overview: figures, charts and tables with links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from notifications.history.overview.charts import Bar, ChartSegment, columns, strip
from notifications.history.overview.queries import (
    BARS,
    RESULTS,
    Overview,
    ResultCount,
    Trouble,
    overview,
)
from notifications.history.overview.sums import DayRange
from notifications.history.presentation import archived_count
from notifications.history.search.filters import SENDS
from notifications.models import GroupType

PERIODS = [7, 14, 30, 90]  # days

DEFAULT_PERIOD = 14


@dataclass(frozen=True, slots=True)
class Cell:
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class TypeRow:
    """Results of the deliveries to groups of one type."""

    label: str
    count: ResultCount
    address: str


@dataclass(frozen=True, slots=True)
class TroubleRow:
    trouble: Trouble
    address: str
    picture: SafeString

    @property
    def heading(self) -> str:
        """Column heading: the code, or the meaning if there is no code."""
        return self.trouble.why.mark or self.trouble.why.meaning


class Links:
    """URLs of the list of deliveries."""

    def __init__(self, period: DayRange) -> None:
        self.list = reverse("admin:deliveries")
        self.period = period

    def to(self, filters: Mapping[str, str], *, of: DayRange | None = None) -> str:
        """Filter the list by ``filters`` and a span, by default the whole period.

        Recalls and corrections are not counted, and so not listed.
        """
        span = of or self.period
        days = {"from": span.first.isoformat(), "to": span.last.isoformat()}
        return f"{self.list}?{urlencode(days | {'channel': SENDS} | dict(filters))}"


def overview_context(request: HttpRequest) -> dict[str, object]:
    """Build the context for the period in the query (``?days=30``)."""
    days = _period(request)
    figures = overview(days)
    links = Links(figures.period)
    results = [(status.value, str(status.label)) for status in RESULTS]
    attention = "failed" if figures.all.by_status["failed"] else "unconfirmed"
    return {
        "figures": figures,
        "period": days,
        "periods": PERIODS,
        "per_week": days > BARS,
        "results": results,
        "accepted_today": links.to({"status": "accepted"}, of=figures.today.of),
        "whole_period": links.to({}),
        "attention": links.to({"status": attention}),
        "picture": columns(
            [_bar(count, results, links) for count in figures.per_span], _sum(figures)
        ),
        "rows": _rows(figures, links),
        "types": [
            TypeRow(
                str(GroupType(count.of).label),
                count,
                links.to({"type": count.of.value}),
            )
            for count in figures.per_type
        ],
        "troubles": [
            _trouble(figures, trouble, links) for trouble in figures.top_troubles
        ],
        "archived": archived_count() if figures.has_archived else "",
        "trouble_rows": _trouble_rows(figures, links),
    }


def _period(request: HttpRequest) -> int:
    """The parameter "days"; values outside of ``PERIODS`` are ignored."""
    value = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == value), DEFAULT_PERIOD)


def _sum(figures: Overview) -> str:
    counts = figures.all.by_status
    return _(
        "%(accepted)s accepted, %(failed)s failed, %(unconfirmed)s not confirmed, "
        "%(cancelled)s cancelled."
    ) % {status.value: f"{counts[status]:,}" for status in RESULTS}


def _bar(count: ResultCount, results: Sequence[tuple[str, str]], links: Links) -> Bar:
    span = count.of
    named = [
        f"{count.by_status[status]:,} {label}"
        for status, label in results
        if count.by_status[status]
    ]
    title = f"{span}: {', '.join(named)}"
    return Bar(
        tick=f"{span.first:%m-%d}",
        title=title,
        address=links.to({}, of=span),
        segments=[
            ChartSegment(
                status,
                count.by_status[status],
                title,
                links.to({"status": status}, of=span),
            )
            for status, _label in results
        ],
    )


def _rows(figures: Overview, links: Links) -> list[tuple[DayRange, list[Cell]]]:
    """Table rows, newest first; spans without a result are omitted."""
    return [
        (
            count.of,
            [
                Cell(
                    count.by_status[status],
                    links.to({"status": status.value}, of=count.of),
                )
                for status in RESULTS
            ],
        )
        for count in reversed(figures.per_span)
        if any(count.by_status[status] for status in RESULTS)
    ]


def _trouble(figures: Overview, trouble: Trouble, links: Links) -> TroubleRow:
    maximum = max(max(other.per_span) for other in figures.top_troubles)
    per_span = [
        (count.of, n)
        for count, n in zip(figures.per_span, trouble.per_span, strict=True)
    ]
    segments = [
        ChartSegment(
            trouble.filter["status"],
            n,
            f"{span}: {n:,}",
            links.to(trouble.filter, of=span),
        )
        for span, n in per_span
    ]
    busiest, n = max(per_span, key=lambda pair: pair[1])
    label = _("Most on %(day)s: %(n)s") % {"day": busiest, "n": f"{n:,}"}
    return TroubleRow(
        trouble, links.to(trouble.filter), strip(segments, maximum, label)
    )


def _trouble_rows(figures: Overview, links: Links) -> list[tuple[DayRange, list[Cell]]]:
    """As ``_rows``, with a cell for each of ``top_troubles``."""
    rows = [
        (
            count.of,
            [
                Cell(t.per_span[place], links.to(t.filter, of=count.of))
                for t in figures.top_troubles
            ],
        )
        for place, count in enumerate(figures.per_span)
    ]
    return [row for row in reversed(rows) if any(cell.count for cell in row[1])]
