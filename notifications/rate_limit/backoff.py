"""How long to wait after a failure."""


def backoff(failures: int, jitter: float) -> float:
    """Seconds to wait after the ``failures``-th failure: 2, 4, 8, … times 1 to 1.5.

    ``jitter`` is a random number from 0 to 1: what failed together must not come back
    together.
    """
    return 2.0**failures * (1 + jitter / 2)
