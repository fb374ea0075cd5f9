"""What the machine and the database say of themselves: disks, sizes, versions."""

import platform
import shutil
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

from notifications import __version__

MEGABYTE = 1_000_000


def free_bytes() -> dict[str, int]:
    """Free bytes of each disk that we write to: ``state``, on SQLite ``database`` too."""
    places = {"state": Path(settings.STATE_DIR)}
    if connection.vendor == "sqlite":
        places["database"] = Path(connection.settings_dict["NAME"]).parent
    return {name: shutil.disk_usage(path).free for name, path in places.items()}


def enough_disk() -> bool:
    """Whether no disk has less than ``DISK_FLOOR_MB`` left."""
    floor = settings.DISK_FLOOR_MB * MEGABYTE
    return all(free >= floor for free in free_bytes().values())


def database_bytes() -> int:
    """The size of the database, which both databases know without counting."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT page_count * page_size "
                "FROM pragma_page_count(), pragma_page_size()"
            )
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return int(size)


def versions() -> dict[str, str]:
    """Of this console and of what it runs on."""
    number = ".".join(map(str, connection.get_database_version()))
    return {
        "version": __version__,
        "django": django.get_version(),
        "python": platform.python_version(),
        "database": f"{connection.display_name} {number}",
    }
