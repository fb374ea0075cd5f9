"""Check that a commit survives a power cut; the guarantees of the engine need it.

With ``synchronous=NORMAL`` a claim could be undone after the call was made, and the
group would be called twice (measured; see docs/architecture.md).
"""

from django.db import connection

SQLITE_FULL = 2


def durability_problem() -> str:
    """Return one sentence on what must be changed, or an empty string."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            (level,) = cursor.fetchone()
            if level < SQLITE_FULL:
                return (
                    f"SQLite runs with synchronous={level}: a group could be called "
                    "twice after a power cut. Set it to FULL."
                )
            return ""
        cursor.execute("SHOW synchronous_commit")
        (value,) = cursor.fetchone()
    if value == "off":
        return (
            f"PostgreSQL runs with synchronous_commit={value}: a group could be called "
            "twice after a crash. Set it to on."
        )
    return ""
