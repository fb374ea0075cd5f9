"""Formats of dates and times, and filters of a query by day."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

Row = TypeVar("Row", bound=Model)

# Ids and times have the same order, except for rows written at the same time.
SLACK = timedelta(hours=1)

NO_TIME = "–"

LOWEST, HIGHEST = 0, 2**63 - 1  # of ids


def in_period(
    rows: QuerySet[Row], field: str, since: date | None, until: date | None
) -> QuerySet[Row]:
    """Filter rows by days of the current time zone, both included; ``None``: no bound.

    The days become bounds of the id too, since every index of the list ends in the id.
    A bound is the id of a row more than ``SLACK`` outside of the period.
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
    """``2026-11-23 19:15:19 UTC``, where the time zone is not named otherwise."""
    if not time:
        return NO_TIME
    return f"{local_time(time)} {timezone.get_current_timezone_name()}"


def time_cell(time: datetime | None) -> SafeString | str:
    """The local time as an HTML ``<time>`` element."""
    if not time:
        return NO_TIME
    return format_html(
        '<time class="nowrap num" datetime="{}">{}</time>',
        timezone.localtime(time).isoformat(),
        local_time(time),
    )


def _in_zone(text: object) -> str:
    return f"{text} ({timezone.get_current_timezone_name()})"


# Lazy, since the time zone is that of the current user.
in_zone = lazy(_in_zone, str)
