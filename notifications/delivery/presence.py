"""Whether anybody is there to make the calls."""

from notifications.models import Worker

from .clock import engine_clock

# Longer than the lease: a worker that is replaced at once causes no alarm.
SEEN_WITHIN = 15.0


def worker_is_there() -> bool:
    """Whether a worker reported within the last 15 s."""
    clock = engine_clock()
    return Worker.objects.filter(
        ended_at__isnull=True,
        boot_id=clock.boot_id,
        lease__gte=clock.now() - SEEN_WITHIN,
    ).exists()
