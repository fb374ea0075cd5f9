"""Days as conditions on a time, and on the id where lists go by id."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

Row = TypeVar("Row", bound=Model)
# Ids and times come in the same order, but for what happens at the same time.
SLACK = timedelta(hours=1)
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
