"""Days as conditions on a time, and on the id where lists go by id."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

Row = TypeVar("Row", bound=Model)
# Ids and times come in the same order, but for what happens at the same time.
SLACK = timedelta(hours=1)


def in_period(
    rows: QuerySet[Row], field: str, since: date | None, until: date | None
) -> QuerySet[Row]:
    """The rows of these days (of the current time zone, both included; ``None``: open).

    The days become bounds of the id too, since every index of the list ends in the id:
    a bound is a row more than ``SLACK`` outside of the period, so whatever is inside has
    an id on this side of it.
    """
    by_time: QuerySet[Row] = rows.model._default_manager.all()
    if since:
        begin = start_of(since)
        rows = rows.filter(**{f"{field}__gte": begin})
        outside = by_time.filter(**{f"{field}__lt": begin - SLACK})
        bound = outside.order_by(f"-{field}").values_list("pk", flat=True).first()
        if bound is not None:
            rows = rows.filter(pk__gt=bound)
    if until:
        end = start_of(until + timedelta(days=1))
        rows = rows.filter(**{f"{field}__lt": end})
        outside = by_time.filter(**{f"{field}__gte": end + SLACK})
        bound = outside.order_by(field).values_list("pk", flat=True).first()
        if bound is not None:
            rows = rows.filter(pk__lt=bound)
    return rows


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
