"""Exponential backoff."""


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds to wait after a failure: 2, 4, 8, … times 1 to 1.5.

    ``jitter``, a random number from 0 to 1, spreads the retries of calls that failed
    at the same time.
    """
    return 2.0**failures * (1 + jitter / 2)
