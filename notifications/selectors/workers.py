"""Whether anybody is there to make the calls."""

from notifications.models import Worker

# Longer than the lease: a worker that is replaced at once causes no alarm.
SEEN_WITHIN = 15.0


def worker_seen(now: float, boot_id: str) -> bool:
    """Whether a worker reported lately; ``now`` and ``boot_id`` of the engine's clock."""
    return Worker.objects.filter(
        ended_at__isnull=True, boot_id=boot_id, lease__gte=now - SEEN_WITHIN
    ).exists()
