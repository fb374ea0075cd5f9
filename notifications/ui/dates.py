"""Dates and times: one formatter for pages, and days as conditions of a query."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

Row = TypeVar("Row", bound=Model)

# Ids and times come in the same order, but for what happens at the same time.
SLACK = timedelta(hours=1)

NO_TIME = "–"

LOWEST, HIGHEST = 0, 2**63 - 1  # of ids


def in_period(
    rows: QuerySet[Row], field: str, since: date | None, until: date | None
) -> QuerySet[Row]:
    """The rows of these days (of the current time zone, both included; ``None``: open).

    The days become bounds of the id too, since every index of the list ends in the id:
    a bound is a row more than ``SLACK`` outside of the period, so whatever is inside has
    an id on this side of it.
    """
    by_time = rows.model._default_manager.order_by(field).values("pk")
    if since:
        begin = start_of(since)
        outside = by_time.filter(**{f"{field}__lt": begin - SLACK})
        last = Coalesce(Subquery(outside.reverse()[:1]), LOWEST)
        rows = rows.filter(**{f"{field}__gte": begin, "pk__gt": last})
    if until:
        end = end_of(until)
        outside = by_time.filter(**{f"{field}__gte": end + SLACK})
        first = Coalesce(Subquery(outside[:1]), HIGHEST)
        rows = rows.filter(**{f"{field}__lt": end, "pk__lt": first})
    return rows


def start_of(day: date) -> datetime:
    """The first moment of ``day`` in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of(day: date) -> datetime:
    """The first moment after ``day``."""
    return start_of(day + timedelta(days=1))


def local_time(time: datetime | None) -> str:
    """``2026-11-23 19:15:19`` in the current time zone, the same in all languages."""
    return f"{timezone.localtime(time):%Y-%m-%d %H:%M:%S}" if time else NO_TIME


def moment(time: datetime | None) -> str:
    """``2026-11-23 19:15:19 UTC``: where nothing beside it names the time zone."""
    if not time:
        return NO_TIME
    return f"{local_time(time)} {timezone.get_current_timezone_name()}"


def time_cell(time: datetime | None) -> SafeString | str:
    """The local time as an element of a page."""
    if not time:
        return NO_TIME
    return format_html(
        '<time class="nowrap num" datetime="{}">{}</time>',
        timezone.localtime(time).isoformat(),
        local_time(time),
    )


def _in_zone(text: object) -> str:
    return f"{text} ({timezone.get_current_timezone_name()})"


# A heading of times: it names the time zone of whoever looks.
in_zone = lazy(_in_zone, str)
