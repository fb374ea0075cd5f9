"""Whether anybody is there to make the calls."""

from django.db import connection
from django.db.models import FloatField, Func, QuerySet

from notifications.models import Worker
from notifications.rate_limit.clock import POSTGRESQL, engine_clock

# Longer than the lease: a worker that is replaced at once causes no alarm.
SEEN_WITHIN = 15.0


class ServerClock(Func):
    """PostgreSQL's own time in seconds, as the workers' leases are counted there."""

    template = "extract(epoch FROM clock_timestamp())::float8"
    output_field = FloatField()


def live_workers() -> QuerySet[Worker]:
    """Those that reported within the last 15 s."""
    workers = Worker.objects.filter(ended_at__isnull=True)
    if connection.vendor == "postgresql":
        return workers.filter(
            boot_id=POSTGRESQL, lease__gte=ServerClock() - SEEN_WITHIN
        )
    clock = engine_clock()
    since = clock.now() - SEEN_WITHIN
    return workers.filter(boot_id=clock.boot_id, lease__gte=since)


def has_live_worker() -> bool:
    """Whether a worker reported within the last 15 s. One query."""
    return live_workers().exists()
