"""Check whether a worker is running."""

from django.db import connection
from django.db.models import FloatField, Func, QuerySet

from notifications.models import Worker
from notifications.rate_limit.clock import POSTGRESQL, engine_clock

# Longer than the lease: replacing a worker at once causes no alarm.
MAX_LEASE_AGE = 15.0


class ServerClock(Func):
    """The time of PostgreSQL in seconds, which also measures the leases of workers."""

    template = "extract(epoch FROM clock_timestamp())::float8"
    output_field = FloatField()


def live_workers() -> QuerySet[Worker]:
    """Return workers that renewed their lease within the last 15 s."""
    workers = Worker.objects.filter(ended_at__isnull=True)
    if connection.vendor == "postgresql":
        return workers.filter(
            boot_id=POSTGRESQL, lease__gte=ServerClock() - MAX_LEASE_AGE
        )
    clock = engine_clock()
    return workers.filter(boot_id=clock.boot_id, lease__gte=clock.now() - MAX_LEASE_AGE)


def has_live_worker() -> bool:
    """Return whether a worker renewed its lease within the last 15 s. One query."""
    return live_workers().exists()
