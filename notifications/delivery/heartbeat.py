"""Check whether a worker is running."""

from django.db import connection
from django.db.models import FloatField, Func, QuerySet, Value

from notifications.models import Worker
from notifications.rate_limit.clock import POSTGRESQL, engine_clock

# Longer than the lease: replacing a worker at once causes no alarm.
MAX_LEASE_AGE = 15.0


class ServerClock(Func):
    """The time of PostgreSQL in seconds, as in ``Worker.lease``."""

    template = "extract(epoch FROM clock_timestamp())::float8"
    output_field = FloatField()


def live_workers() -> QuerySet[Worker]:
    """Return workers that renewed their lease within the last 15 s.

    A lease in the future does not count: the server's clock was set back since, and a
    live worker renews its lease within a second.
    """
    boot_id = POSTGRESQL
    now: ServerClock | Value = ServerClock()
    if connection.vendor != "postgresql":
        clock = engine_clock()
        boot_id, now = clock.boot_id, Value(clock.now())
    return Worker.objects.filter(
        ended_at__isnull=True,
        boot_id=boot_id,
        lease__range=(now - MAX_LEASE_AGE, now + MAX_LEASE_AGE),
    )


def has_live_worker() -> bool:
    """Return whether a worker renewed its lease within the last 15 s. One query."""
    return live_workers().exists()
